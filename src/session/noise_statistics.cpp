#include "session/noise_statistics.h"

#include <cmath>
#include <limits>

namespace roundtrip::session {

NoiseStatistics noise_statistics(const at::Tensor& x_S) {
  const at::Tensor x = x_S.to(at::kDouble).cpu();
  const double mean = x.mean().item<double>();
  const at::Tensor centred = x - mean;
  const double variance = centred.square().mean().item<double>();
  const auto neighbours = [&](int64_t axis) {
    const int64_t n = centred.size(axis);
    if (n < 2) return std::numeric_limits<double>::quiet_NaN();
    return (centred.narrow(axis, 0, n - 1) * centred.narrow(axis, 1, n - 1)).mean().item<double>() / variance;
  };
  return {.mean = mean,
          .std = std::sqrt(variance),
          .autocorrelation = (neighbours(1) + neighbours(2)) / 2,
          .kl = (variance + mean * mean - 1 - std::log(variance)) / 2};
}

}  // namespace roundtrip::session
