// O-BELM: the bi-directional explicit linear multi-step sampler whose local error is least.
//
//   x_{i-1} = r^2 (a_{i-1}/a_{i+1}) x_{i+1} + (1 - r^2) (a_{i-1}/a_i) x_i - r (h_i + h_{i+1}) a_{i-1} eps_i
//   x_{i+1} = q^2 (a_{i+1}/a_{i-1}) x_{i-1} + (1 - q^2) (a_{i+1}/a_i) x_i + q (h_i + h_{i+1}) a_{i+1} eps_i
// with a = sqrt(alpha_bar), sigma = sqrt(1 - alpha_bar)/a, h_i = sigma_i - sigma_{i-1}, r = h_i/h_{i+1}, q = 1/r.
// Wang et al., "BELM: Bidirectional Explicit Linear Multi-step Sampler for Exact Inversion in Diffusion Models",
// NeurIPS 2024. The largest gain of errors is q^2 at the clean end, 2.4 to 14 by grid. Where h_1 is 0 (a grid that
// starts at timestep 0 with the final alpha_bar of timestep 0) the recurrence is not defined.
#include <cmath>

#include "inversion/two_step_method.h"

namespace roundtrip::inversion {
namespace {

using diffusion::StepGrid;

double a(const StepGrid& grid, int i) { return grid[i].c; }
double h(const StepGrid& grid, int i) { return grid[i].p - grid[i - 1].p; }

class Belm : public TwoStepMethod {
 public:
  using TwoStepMethod::TwoStepMethod;

 private:
  Tensor up(const StepGrid& grid, int i, const Tensor& below, const Tensor& x, const Tensor& eps) const override {
    return linear(grid, i, i + 1, h(grid, i + 1) / h(grid, i), i - 1, below, x, eps);
  }
  Tensor down(const StepGrid& grid, int i, const Tensor& above, const Tensor& x, const Tensor& eps) const override {
    return linear(grid, i, i - 1, -h(grid, i) / h(grid, i + 1), i + 1, above, x, eps);
  }

  // Both equations: the ratio is q upwards and -r downwards. Summed in float64: what is rounded here, q^2 magnifies.
  static Tensor linear(const StepGrid& grid, int i, int to, double ratio, int other, const Tensor& x_other,
                       const Tensor& x, const Tensor& eps) {
    const double squared = ratio * ratio;
    const Tensor sum = squared * (a(grid, to) / a(grid, other)) * x_other.to(at::kDouble) +
                       (1 - squared) * (a(grid, to) / a(grid, i)) * x.to(at::kDouble) +
                       ratio * (h(grid, i) + h(grid, i + 1)) * a(grid, to) * eps.to(at::kDouble);
    return sum.to(x.scalar_type());
  }

  void check_grid(const StepGrid& grid) const override {
    for (int i = 1; i <= grid.steps(); ++i) {
      if (h(grid, i) > 0 && std::isfinite(h(grid, i))) continue;
      throw Error(ErrorKind::kType,
                  fmt::format("method: belm divides by the growth of the noise from grid index {} to {}, which is {:g} "
                              "at t={:g}; expected a grid that grows (steps_offset 1, or set_alpha_to_one true)",
                              i - 1, i, h(grid, i), grid[i].t));
    }
  }
};

const RegisteredMethod<Belm> belm(
    {.name = "belm",
     .summary = "exact: O-BELM, a two-step sampler of least local error; keeps two latents",
     .source = "Wang et al., BELM, NeurIPS 2024"});

}  // namespace
}  // namespace roundtrip::inversion
