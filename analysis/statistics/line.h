// A straight line through points by least squares, with Student's interval for its slope: through logarithms it gives
// the order of convergence p of error ~ S^-p.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "analysis/statistics/interval.h"

namespace roundtrip::analysis {

struct Line {
  int64_t n = 0;
  double slope = std::numeric_limits<double>::quiet_NaN(), intercept = std::numeric_limits<double>::quiet_NaN();
  double slope_error = std::numeric_limits<double>::quiet_NaN();  // standard error; NaN of two points
  Interval slope_interval = {};                                   // unknown of two points
};

// NaN where fewer than two x differ.
Line fit_line(std::span<const double> x, std::span<const double> y, double confidence = 0.95);

// The line through (log x, log y). Points that are not positive and finite are left out; n says how many were not.
Line fit_power_law(std::span<const double> x, std::span<const double> y, double confidence = 0.95);

}  // namespace roundtrip::analysis
