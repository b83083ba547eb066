#include "diffusion/beta_distribution.h"

#include <cmath>

namespace roundtrip::diffusion {
namespace {

// I_x(a, b) where x is below (a + 1) / (a + b + 2): the continued fraction of DLMF 8.17.22 converges fast there. It is
// evaluated from its end, which is far enough out for every x in that range.
double incomplete_beta_below(double x, double a, double b) {
  constexpr int kTerms = 200;
  double fraction = 1;
  for (int m = kTerms; m >= 1; --m) {
    const int k = m / 2;
    const double numerator = m % 2 == 0 ? k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))
                                        : -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
    fraction = 1 + numerator / fraction;
  }
  const double log_beta = std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
  return std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta) / (a * fraction);
}

double incomplete_beta(double x, double a, double b) {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  return x < (a + 1) / (a + b + 2) ? incomplete_beta_below(x, a, b) : 1 - incomplete_beta_below(1 - x, b, a);
}

}  // namespace

double beta_quantile(double p, double a, double b) {
  if (p <= 0 || p >= 1) return p <= 0 ? 0 : 1;
  double least = 0, most = 1;
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (least + most) / 2;
    (incomplete_beta(middle, a, b) < p ? least : most) = middle;
  }
  return (least + most) / 2;
}

}  // namespace roundtrip::diffusion
