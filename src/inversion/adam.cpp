#include "inversion/adam.h"

#include <cmath>

#include "base/error.h"

namespace roundtrip::inversion {

at::Tensor Adam::step(const at::Tensor& theta, const at::Tensor& g) {
  constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  check(theta.element_size() >= 4, "Adam's parameter is float32 or float64");
  if (!m_.defined()) {
    m_ = at::zeros_like(theta);
    v_ = at::zeros_like(theta);
  }
  ++t_;
  m_ = at::lerp(m_, g, 1 - kBeta1);
  v_ = at::addcmul(v_ * kBeta2, g, g, 1 - kBeta2);
  const double m_correction = 1 - std::pow(kBeta1, t_), v_correction = 1 - std::pow(kBeta2, t_);
  const at::Tensor denominator = v_.sqrt() / std::sqrt(v_correction) + kEpsilon;
  const at::Tensor decayed = weight_decay_ == 0 ? theta : theta * (1 - learning_rate_ * weight_decay_);
  return at::addcdiv(decayed, m_, denominator, -learning_rate_ / m_correction);
}

}  // namespace roundtrip::inversion
