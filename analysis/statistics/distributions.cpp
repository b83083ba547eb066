#include "analysis/statistics/distributions.h"

#include <cmath>
#include <initializer_list>
#include <limits>
#include <numbers>

namespace roundtrip::analysis {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by the modified Lentz method.
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300, kEnough = 1e-16;
  constexpr int kMostTerms = 10000;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m < kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double factor = 1;
    for (const double term : {even, odd}) {
      d = 1 / away_from_zero(1 + term * d);
      c = away_from_zero(1 + term / c);
      factor = c * d;
      fraction *= factor;
    }
    if (std::abs(factor - 1) < kEnough) break;
  }
  return fraction;
}

// I_x(a, b), the regularised incomplete beta function. `rest` is 1 - x, passed separately to keep its digits.
double regularised_beta(double x, double rest, double a, double b) {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(rest));
  // The fraction converges fast on this side of the mean; the other side is its mirror image.
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(rest, b, a) / b;
}

// Finds the p-quantile of a distribution symmetric about 0 by bisection. Works on the lower tail, where small
// probabilities keep their digits.
template <typename Cdf>
double symmetric_quantile(double p, const Cdf& cdf) {
  if (!(p >= 0 && p <= 1)) return kNaN;
  if (p == 0) return -kInfinity;
  if (p == 1) return kInfinity;
  if (p == 0.5) return 0;
  if (p > 0.5) return -symmetric_quantile(1 - p, cdf);
  double low = -1, high = 0;
  while (cdf(low) > p) high = low, low *= 2;
  while (true) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) return middle;
    (cdf(middle) < p ? low : high) = middle;
  }
}

}  // namespace

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double normal_quantile(double p) { return symmetric_quantile(p, normal_cdf); }

double student_cdf(double t, double degrees_of_freedom) {
  if (std::isnan(t) || !(degrees_of_freedom > 0)) return kNaN;
  const double n = degrees_of_freedom, sum = n + t * t;
  const double tail = std::isinf(t) ? 0 : 0.5 * regularised_beta(n / sum, t * t / sum, n / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

double student_quantile(double p, double degrees_of_freedom) {
  if (!(degrees_of_freedom > 0)) return kNaN;
  return symmetric_quantile(p, [=](double t) { return student_cdf(t, degrees_of_freedom); });
}

}  // namespace roundtrip::analysis
