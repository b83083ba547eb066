// Wilcoxon signed-rank test of paired differences (Wilcoxon 1945), by the rules of scipy.stats.wilcoxon. Zeros are
// dropped. Without ties or zeros, the distribution is exact up to 50 differences. With them, it is the exact one of the
// actual ranks up to 13 differences. Beyond these limits it is normal, corrected for ties.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "analysis/statistics/rank.h"

namespace roundtrip::analysis {

struct SignedRank {
  int64_t n = 0, zeros = 0;
  double positive = 0;                                  // sum of the ranks of positive differences
  double p = std::numeric_limits<double>::quiet_NaN();  // NaN without differences, 1 if all are zero
  bool exact = false;
};

// Expects finite differences. kGreater tests whether they tend to be above 0.
SignedRank wilcoxon(std::span<const double> differences, Alternative alternative = Alternative::kTwoSided);

}  // namespace roundtrip::analysis
