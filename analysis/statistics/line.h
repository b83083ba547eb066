// Straight line through points by least squares, with Student's interval for its slope. Through logarithms it gives the
// order of convergence p of error ~ S^-p.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "analysis/statistics/interval.h"

namespace roundtrip::analysis {

struct Line {
  int64_t n = 0;
  double slope = std::numeric_limits<double>::quiet_NaN(), intercept = std::numeric_limits<double>::quiet_NaN();
  double slope_error = std::numeric_limits<double>::quiet_NaN();  // standard error; NaN for two points
  Interval slope_interval = {};                                   // unknown for two points
};

// NaN with fewer than two different x.
Line fit_line(std::span<const double> x, std::span<const double> y, double confidence = 0.95);

// Fits a line through (log x, log y). Omits points that are not positive and finite; n counts the remaining ones.
Line fit_power_law(std::span<const double> x, std::span<const double> y, double confidence = 0.95);

}  // namespace roundtrip::analysis
