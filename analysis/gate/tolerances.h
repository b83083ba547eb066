// Tolerances of the gate: analysis/assets/tolerances.yaml, optionally with a file of the user on top.
//
//   confidence: 0.95
//   quality:
//     - {metric: psnr, absolute: 0.1}
//     - {metric: psnr, where: "method=null_text, steps=50", absolute: 0.3}
//   timing:
//     - {metric: seconds, relative: 0.5}
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/claims/claim.h"
#include "analysis/table/results.h"

namespace roundtrip::analysis {

struct Tolerance {
  double absolute = 0, relative = 0;
  double around(double baseline) const;  // absolute + relative * |baseline|
};

class Tolerances {
 public:
  // Throws kParse or kType naming file and line.
  static Tolerances built_in();
  static Tolerances read(const std::filesystem::path& file);

  double confidence() const { return confidence_; }
  Tolerance quality(const std::string& metric, const Results& results, const Cell& cell) const;
  Tolerance timing(const std::string& metric, const Results& results, const Cell& cell) const;

 private:
  struct Rule {
    std::string metric;  // or "*"
    Selector where;
    Tolerance tolerance;
  };
  void add(std::string_view text, const std::string& file);
  static Tolerance last_fit(const std::vector<Rule>& rules, const std::string& metric, const Results& results,
                            const Cell& cell);

  double confidence_ = 0.95;
  std::vector<Rule> quality_, timing_;
};

}  // namespace roundtrip::analysis
