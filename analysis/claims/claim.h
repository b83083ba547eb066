// A claim about results, as experiments state it under `expect:` (docs/claims.md has the language).
//
//   psnr[method=ddim] < psnr[method=negative_prompt] <= psnr[method=null_text]  (p < 0.01)
//   slope(mse, steps)[method=ddim] <= -0.5
//   nfe[method=negative_prompt] <= nfe[method=null_text] / 20
//
// Everything is computed image by image: an expression has a value for each image, and a comparison uses the
// differences of these values.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace roundtrip::analysis {

// Selects cells by the values of some of their axes, as written: {"method", "ddim"}.
using Selector = std::vector<std::pair<std::string, std::string>>;

struct Expression;
using Operand = std::shared_ptr<const Expression>;

struct Number {
  double value;
};
struct Measure {  // value of a column in the selected cells
  std::string column;
  Selector where;
};
struct Slope {  // slope of log column against log axis, over the selected cells
  std::string column, axis;
  Selector where;
};
struct Operation {  // + - * /
  char operation;
  Operand left, right;
};

struct Expression {
  std::variant<Number, Measure, Slope, Operation> form;
};

enum class Relation { kLess, kAtMost, kGreater, kAtLeast, kEqual };

struct Claim {
  std::string text;          // as written
  std::string says, source;  // in words, and the origin of the claim; may be empty
  std::vector<Operand> operands;
  std::vector<Relation> relations;  // between neighbours: one fewer than operands
  double within = 0;                // kEqual: largest difference that counts as equal
  double p = 0.05;                  // kLess and kGreater: level of their test
};

// Throws kParse naming `where`, the column and the expected text.
Claim parse_claim(std::string_view text, std::string_view where);
Selector parse_selector(std::string_view text, std::string_view where);  // "method=ddim, steps=50"

}  // namespace roundtrip::analysis
