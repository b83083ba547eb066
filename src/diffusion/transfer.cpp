#include "diffusion/transfer.h"

#include <cmath>

namespace roundtrip::diffusion {

Tensor transfer(const Tensor& x, const Tensor& eps, double alpha_bar_from, double alpha_bar_to, double sigma) {
  const double ratio = std::sqrt(alpha_bar_to / alpha_bar_from);
  return at::add(x * ratio, eps, eps_coefficient(alpha_bar_from, alpha_bar_to, sigma));
}

double eps_coefficient(double alpha_bar_from, double alpha_bar_to, double sigma) {
  const double ratio = std::sqrt(alpha_bar_to / alpha_bar_from);
  return std::sqrt(std::max(0.0, 1 - alpha_bar_to - sigma * sigma)) - ratio * std::sqrt(1 - alpha_bar_from);
}

double ddim_sigma(double eta, double alpha_bar_from, double alpha_bar_to) {
  if (eta == 0 || alpha_bar_from == alpha_bar_to) return 0;
  const double variance = (1 - alpha_bar_to) / (1 - alpha_bar_from) * (1 - alpha_bar_from / alpha_bar_to);
  return eta * std::sqrt(variance);
}

Tensor forward_step(const Tensor& x, const Tensor& noise, double alpha_bar_from, double alpha_bar_to) {
  const double r = alpha_bar_to / alpha_bar_from;
  return at::add(x * std::sqrt(r), noise, std::sqrt(1 - r));
}

}  // namespace roundtrip::diffusion
