// The Mann-Whitney U test of two unpaired samples (Mann and Whitney 1947): the normal approximation, corrected for ties
// and continuity, as in scipy.stats.mannwhitneyu(method="asymptotic"). Used for seconds, whose noise is not paired.
#pragma once

#include <limits>
#include <span>

#include "analysis/statistics/rank.h"

namespace roundtrip::analysis {

struct RankSum {
  double u = 0;  // pairs with a greater value in the first sample; ties count half
  double p = std::numeric_limits<double>::quiet_NaN();  // NaN if a sample is empty
};

// Expects finite values. kGreater tests whether the first sample tends to be above the second.
RankSum mann_whitney(std::span<const double> first, std::span<const double> second,
                     Alternative alternative = Alternative::kTwoSided);

}  // namespace roundtrip::analysis
