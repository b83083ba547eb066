// Describes a column of numbers. NaN and infinite values are counted separately.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace roundtrip::analysis {

// A measure is NaN with too few finite values: none for the mean, fewer than two for the deviation.
struct Description {
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

  int64_t n = 0;         // finite values, which the rest describes
  int64_t missing = 0;   // NaN
  int64_t infinite = 0;  // e.g. the PSNR of equal images
  double mean = kNaN, median = kNaN;
  double deviation = kNaN;  // standard deviation of the sample, n - 1
  double low_quartile = kNaN, high_quartile = kNaN, least = kNaN, most = kNaN;
};

Description describe(std::span<const double> values);

double mean_of(std::span<const double> values);  // two passes, so large offsets cost no digits; NaN if empty

// Interpolates between the two nearest order statistics (Hyndman and Fan 1996, definition 7: NumPy's default).
double quantile_of_sorted(std::span<const double> sorted, double p);

std::vector<double> finite_values(std::span<const double> values);

}  // namespace roundtrip::analysis
