// The Wilcoxon signed-rank test of paired differences (Wilcoxon 1945), by the rules of scipy.stats.wilcoxon: zeros are
// dropped; the exact distribution up to 50 differences without ties or zeros; with them the exact distribution of these
// very ranks up to 13 differences, and beyond that the normal one, corrected for ties.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "analysis/statistics/rank.h"

namespace roundtrip::analysis {

struct SignedRank {
  int64_t n = 0, zeros = 0;
  double positive = 0;                                  // the sum of the ranks of positive differences
  double p = std::numeric_limits<double>::quiet_NaN();  // NaN of no differences, 1 where all are zero
  bool exact = false;
};

// Differences are finite. kGreater asks whether they tend to be above 0.
SignedRank wilcoxon(std::span<const double> differences, Alternative alternative = Alternative::kTwoSided);

}  // namespace roundtrip::analysis
