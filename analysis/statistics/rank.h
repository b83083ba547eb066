// Ranks for rank tests. Tied values share the mean of their ranks.
#pragma once

#include <span>
#include <vector>

namespace roundtrip::analysis {

enum class Alternative { kTwoSided, kLess, kGreater };

struct Ranks {
  std::vector<double> of;     // rank of each value, in the given order; from 1
  double tie_correction = 0;  // sum of t^3 - t over groups of t equal values
  bool tied() const { return tie_correction > 0; }
};

Ranks rank(std::span<const double> values);

// Returns the p-value of a statistic that is normal with this z under the null hypothesis.
double normal_p(double z, Alternative alternative);

}  // namespace roundtrip::analysis
