// Confidence intervals of a mean.
//
// bootstrap_interval is the bias-corrected and accelerated bootstrap (Efron and Tibshirani 1993, eq. 14.9 to 14.15),
// seeded and counter-based: equal values and seed give equal bounds on every machine. student_interval is the textbook
// one. Both are unknown for fewer than two values.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace roundtrip::analysis {

struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();

  bool known() const { return low <= high; }
  bool holds(double value) const { return low <= value && value <= high; }
  double half_width() const { return (high - low) / 2; }
};

struct IntervalOptions {
  double confidence = 0.95;
  int resamples = 2000;
  int64_t seed = 0;
};

// Expects finite values. If they are all equal, the interval is that value.
Interval bootstrap_interval(std::span<const double> values, const IntervalOptions& options = {});
Interval student_interval(std::span<const double> values, double confidence = 0.95);

// Uses the bootstrap up to kMostResampled values, Student's interval beyond: there the central limit theorem leaves
// nothing to correct, and resampling a million records would take minutes.
inline constexpr size_t kMostResampled = 200;
Interval mean_interval(std::span<const double> values, const IntervalOptions& options = {});

}  // namespace roundtrip::analysis
