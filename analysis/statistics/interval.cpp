#include "analysis/statistics/interval.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "analysis/statistics/description.h"
#include "analysis/statistics/distributions.h"
#include "base/noise.h"

namespace roundtrip::analysis {
namespace {

constexpr uint32_t kResampling = 0x424F4F54;  // separates these draws from others with the same seed

// Mean of the b-th resample: as many values, each drawn with equal chance.
double resampled_mean(std::span<const double> values, uint32_t b, std::array<uint32_t, 2> key) {
  const auto n = static_cast<uint64_t>(values.size());
  double sum = 0;
  std::array<uint32_t, 4> draws{};
  for (uint32_t k = 0; k < n; ++k) {
    if (k % 4 == 0) draws = philox4x32({k / 4, b, 0, kResampling}, key);
    sum += values[draws[k % 4] * n >> 32];
  }
  return sum / static_cast<double>(n);
}

// a = sum d^3 / (6 (sum d^2)^(3/2)), d the deviations from the mean: eq. 14.15 reduces to this for the jackknife of a
// mean.
double acceleration(std::span<const double> values, double mean) {
  double squares = 0, cubes = 0;
  for (const double value : values) {
    const double d = value - mean;
    squares += d * d;
    cubes += d * d * d;
  }
  return cubes / (6 * std::pow(squares, 1.5));
}

// z0, eq. 14.14: the bias of the resampled means from the mean; ties count half on either side.
double bias_correction(const std::vector<double>& sorted_means, double mean) {
  const auto [from, to] = std::ranges::equal_range(sorted_means, mean);
  const auto below = static_cast<double>(from - sorted_means.begin()),
             up_to = static_cast<double>(to - sorted_means.begin());
  return normal_quantile((below + up_to) / (2 * static_cast<double>(sorted_means.size())));
}

// Most cells of a run have the same number of images, so the quantile is computed once.
double remembered_quantile(double p, double freedom) {
  thread_local std::array<double, 3> last = {-1, -1, 0};
  if (last[0] != p || last[1] != freedom) last = {p, freedom, student_quantile(p, freedom)};
  return last[2];
}

bool all_equal(std::span<const double> values) {
  return std::ranges::all_of(values, [&](double value) { return value == values.front(); });
}

}  // namespace

Interval bootstrap_interval(std::span<const double> values, const IntervalOptions& options) {
  if (values.size() < 2) return {};
  if (all_equal(values)) return {values.front(), values.front()};
  const auto seed = static_cast<uint64_t>(options.seed);
  const std::array<uint32_t, 2> key = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  std::vector<double> means(options.resamples);
  for (size_t b = 0; b < means.size(); ++b) means[b] = resampled_mean(values, static_cast<uint32_t>(b), key);
  std::ranges::sort(means);

  // Sum like the resamples, so that a resample of the same values has the same mean to the bit.
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  double a = acceleration(values, mean), z0 = bias_correction(means, mean);
  // Values that differ only in their last bits can have every resampled mean on one side; the bias is then unknown.
  if (std::isinf(z0)) a = z0 = 0;
  const auto bound = [&](double alpha) {  // eq. 14.9, 14.10
    const double z = z0 + normal_quantile(alpha);
    return quantile_of_sorted(means, normal_cdf(z0 + z / (1 - a * z)));
  };
  const double alpha = (1 - options.confidence) / 2;
  return {bound(alpha), bound(1 - alpha)};
}

Interval student_interval(std::span<const double> values, double confidence) {
  if (values.size() < 2) return {};
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto n = static_cast<double>(values.size());
  const double half = remembered_quantile((1 + confidence) / 2, n - 1) * std::sqrt(squares / (n - 1) / n);
  return {mean - half, mean + half};
}

Interval mean_interval(std::span<const double> values, const IntervalOptions& options) {
  return values.size() <= kMostResampled ? bootstrap_interval(values, options)
                                         : student_interval(values, options.confidence);
}

}  // namespace roundtrip::analysis
