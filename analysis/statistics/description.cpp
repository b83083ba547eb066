#include "analysis/statistics/description.h"

#include <algorithm>
#include <cmath>

#include <Eigen/Core>

namespace roundtrip::analysis {
namespace {

using Values = Eigen::Map<const Eigen::ArrayXd>;

Values array_of(std::span<const double> values) { return {values.data(), static_cast<Eigen::Index>(values.size())}; }

}  // namespace

double mean_of(std::span<const double> values) {
  if (values.empty()) return Description::kNaN;
  const double about = array_of(values).mean();
  return about + (array_of(values) - about).mean();
}

double quantile_of_sorted(std::span<const double> sorted, double p) {
  if (sorted.empty() || std::isnan(p)) return Description::kNaN;
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::vector<double> finite_values(std::span<const double> values) {
  std::vector<double> finite;
  finite.reserve(values.size());
  std::ranges::copy_if(values, std::back_inserter(finite), [](double value) { return std::isfinite(value); });
  return finite;
}

Description describe(std::span<const double> values) {
  Description result;
  std::vector<double> finite = finite_values(values);
  result.n = static_cast<int64_t>(finite.size());
  result.missing = std::ranges::count_if(values, [](double value) { return std::isnan(value); });
  result.infinite = static_cast<int64_t>(values.size()) - result.n - result.missing;
  if (finite.empty()) return result;

  result.mean = mean_of(finite);
  if (result.n > 1) {
    const double squares = (array_of(finite) - result.mean).square().sum();
    result.deviation = std::sqrt(squares / static_cast<double>(result.n - 1));
  }
  std::ranges::sort(finite);
  result.median = quantile_of_sorted(finite, 0.5);
  result.low_quartile = quantile_of_sorted(finite, 0.25);
  result.high_quartile = quantile_of_sorted(finite, 0.75);
  result.least = finite.front();
  result.most = finite.back();
  return result;
}

}  // namespace roundtrip::analysis
