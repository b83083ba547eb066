// The grammar of claims, by recursive descent:
//
//   claim      = sum (relation sum)+ ["within" number] ["(" "p" "<" number ")"]
//   relation   = "<" | "<=" | ">" | ">=" | "="
//   sum        = product (("+" | "-") product)*
//   product    = factor (("*" | "/") factor)*
//   factor     = number | "-" factor | "(" sum ")" | slope | measure
//   slope      = "slope" "(" name "," name ")" [selector]
//   measure    = name [selector]
//   selector   = "[" name "=" value ("," name "=" value)* "]"
#include <cctype>
#include <charconv>
#include <optional>

#include "analysis/claims/claim.h"
#include "base/error.h"
#include "base/text.h"

namespace roundtrip::analysis {
namespace {

class Parser {
 public:
  Parser(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  Claim claim() {
    Claim claim;
    claim.text = trim(text_);
    claim.operands.push_back(sum());
    while (const std::optional<Relation> relation = take_relation()) {
      claim.relations.push_back(*relation);
      claim.operands.push_back(sum());
    }
    if (claim.relations.empty()) fail("a relation: <, <=, >, >= or =");
    if (take_word("within")) claim.within = number();
    if (take("(")) {
      if (!take_word("p")) fail("p");
      expect("<");
      claim.p = number();
      expect(")");
    }
    end();
    return claim;
  }

  Selector selector_to(std::string_view closing) {
    Selector selector;
    do {
      std::string axis = name();
      expect("=");
      selector.emplace_back(std::move(axis), value());
    } while (take(","));
    if (!closing.empty()) expect(closing);
    return selector;
  }

  void end() {
    skip_blanks();
    if (at_ != text_.size()) fail("the end");
  }

 private:
  Operand sum() {
    Operand left = product();
    while (true) {
      const char operation = take("+") ? '+' : take("-") ? '-' : 0;
      if (operation == 0) return left;
      left = make(Operation{operation, left, product()});
    }
  }

  Operand product() {
    Operand left = factor();
    while (true) {
      const char operation = take("*") ? '*' : take("/") ? '/' : 0;
      if (operation == 0) return left;
      left = make(Operation{operation, left, factor()});
    }
  }

  Operand factor() {
    if (++depth_ > kDeepest) fail("fewer parentheses");
    Operand result;
    if (take("-")) {
      result = make(Operation{'-', make(Number{0}), factor()});
    } else if (take("(")) {
      result = sum();
      expect(")");
    } else if (starts_number()) {
      result = make(Number{number()});
    } else {
      result = measure();
    }
    --depth_;
    return result;
  }

  Operand measure() {
    std::string column = name();
    if (column != "slope" || !take("(")) return make(Measure{std::move(column), selector()});
    column = name();
    expect(",");
    std::string axis = name();
    expect(")");
    return make(Slope{std::move(column), std::move(axis), selector()});
  }

  Selector selector() { return take("[") ? selector_to("]") : Selector{}; }

  std::optional<Relation> take_relation() {
    if (take("<=")) return Relation::kAtMost;
    if (take(">=")) return Relation::kAtLeast;
    if (take("<")) return Relation::kLess;
    if (take(">")) return Relation::kGreater;
    if (take("=")) return Relation::kEqual;
    return std::nullopt;
  }

  std::string name() {
    skip_blanks();
    const size_t from = at_;
    const auto is_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; };
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    if (at_ == from || std::isdigit(static_cast<unsigned char>(text_[from]))) {
      at_ = from;
      fail("a name");
    }
    return std::string(text_.substr(from, at_ - from));
  }

  std::string value() {  // up to the next comma or bracket
    skip_blanks();
    const size_t from = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ']') ++at_;
    const std::string_view written = trim(text_.substr(from, at_ - from));
    if (written.empty()) fail("a value");
    return std::string(written);
  }

  bool starts_number() {
    skip_blanks();
    return at_ < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[at_])) || text_[at_] == '.');
  }

  double number() {
    skip_blanks();
    const bool negative = take("-");
    double result = 0;
    const auto [to, failure] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), result);
    if (failure != std::errc()) fail("a number");
    at_ = to - text_.data();
    return negative ? -result : result;
  }

  bool take(std::string_view token) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  bool take_word(std::string_view word) {
    const size_t before = at_;
    if (take(word) && (at_ == text_.size() || !std::isalnum(static_cast<unsigned char>(text_[at_])))) return true;
    at_ = before;
    return false;
  }

  void expect(std::string_view token) {
    if (!take(token)) fail(fmt::format("'{}'", token));
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  template <typename Form>
  static Operand make(Form form) {
    return std::make_shared<const Expression>(Expression{std::move(form)});
  }

  [[noreturn]] void fail(std::string_view expected) {
    skip_blanks();
    const std::string found = at_ == text_.size() ? "the end" : fmt::format("'{}'", text_.substr(at_, 12));
    throw Error(ErrorKind::kParse,
                fmt::format("{}: column {}: found {}; expected {}", where_, at_ + 1, found, expected));
  }

  static constexpr int kDeepest = 64;
  std::string_view text_, where_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Claim parse_claim(std::string_view text, std::string_view where) { return Parser(text, where).claim(); }

Selector parse_selector(std::string_view text, std::string_view where) {
  Parser parser(text, where);
  Selector selector = parser.selector_to("");
  parser.end();
  return selector;
}

}  // namespace roundtrip::analysis
