#include "inversion/multistep.h"

#include <cmath>

namespace roundtrip::inversion {

using at::Tensor;
using diffusion::Level;
using diffusion::StepGrid;

namespace {

// e^{-h} a_{i-1}, which needs no logarithm, so that a may be 0 at the noisy end and s at the clean one.
double shrunk_a(const StepGrid& grid, int i) { return grid[i].a * grid[i - 1].s / grid[i].s; }

}  // namespace

Tensor predicted_x0(const StepGrid& grid, const Tensor& x, const Tensor& out, int i) {
  return at::sub(x / grid[i].c, out, grid[i].p);
}

double second_order_share(const StepGrid& grid, int i) {
  const Level &to = grid[i - 1], &from = grid[i], &before = grid[i + 1];
  if (to.s == 0 || before.a == 0) return 0;
  const double h = std::log(to.a / to.s) - std::log(from.a / from.s);
  const double h_0 = std::log(from.a / from.s) - std::log(before.a / before.s);
  return h_0 == 0 ? 0 : h / (2 * h_0);
}

Tensor step_2m(const StepGrid& grid, const Tensor& x, const Tensor& D, int i) {
  return at::add(x * (grid[i - 1].s / grid[i].s), D, grid[i - 1].a - shrunk_a(grid, i));
}

Tensor sde_mean(const StepGrid& grid, const Tensor& x, const Tensor& D, int i) {
  const double q = shrunk_a(grid, i) / grid[i - 1].a;  // e^{-h}
  return at::add(x * (q * grid[i - 1].s / grid[i].s), D, grid[i - 1].a * (1 - q * q));
}

Tensor PredictionsOfX0::push(const StepGrid& grid, Tensor m, int i, bool first_order) {
  m_.at(i) = std::move(m);
  if (first_order || !m_.at(i + 1).defined()) return m_[i];
  return at::add(m_[i], m_[i] - m_[i + 1], second_order_share(grid, i));
}

}  // namespace roundtrip::inversion
