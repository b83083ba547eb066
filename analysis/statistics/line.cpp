#include "analysis/statistics/line.h"

#include <cmath>
#include <vector>

#include <Eigen/Core>

#include "analysis/statistics/distributions.h"

namespace roundtrip::analysis {

Line fit_line(std::span<const double> x, std::span<const double> y, double confidence) {
  Line line{.n = static_cast<int64_t>(x.size())};
  if (x.size() < 2) return line;
  const Eigen::Map<const Eigen::ArrayXd> xs(x.data(), line.n), ys(y.data(), line.n);
  const Eigen::ArrayXd dx = xs - xs.mean(), dy = ys - ys.mean();
  const double sxx = dx.square().sum();
  if (sxx == 0) return line;
  line.slope = (dx * dy).sum() / sxx;
  line.intercept = ys.mean() - line.slope * xs.mean();
  if (line.n < 3) return line;
  const auto freedom = static_cast<double>(line.n - 2);
  line.slope_error = std::sqrt((dy - line.slope * dx).square().sum() / freedom / sxx);
  const double half = student_quantile((1 + confidence) / 2, freedom) * line.slope_error;
  line.slope_interval = {line.slope - half, line.slope + half};
  return line;
}

Line fit_power_law(std::span<const double> x, std::span<const double> y, double confidence) {
  std::vector<double> log_x, log_y;
  for (size_t k = 0; k < x.size(); ++k) {
    const bool fits = x[k] > 0 && y[k] > 0 && std::isfinite(x[k]) && std::isfinite(y[k]);
    if (!fits) continue;
    log_x.push_back(std::log(x[k]));
    log_y.push_back(std::log(y[k]));
  }
  return fit_line(log_x, log_y, confidence);
}

}  // namespace roundtrip::analysis
