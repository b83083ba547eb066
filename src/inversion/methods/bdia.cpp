// BDIA: bi-directional integration approximation, DDIM's step averaged with its own inverse.
//
//   x_{i-1} = gamma x_{i+1} - gamma PHI(x_i; i -> i+1, eps_i) + PHI(x_i; i -> i-1, eps_i)
// and solved for x_{i+1} to invert. Zhang, Lewis & Kleijn, "Exact Diffusion Inversion via Bi-directional Integration
// Approximation", ECCV 2024. Inverting divides by gamma at each step: well below 1 the latent explodes.
#include "inversion/two_step_method.h"

namespace roundtrip::inversion {
namespace {

using diffusion::StepGrid;

class Bdia : public TwoStepMethod {
 public:
  explicit Bdia(const config::Params& params)
      : TwoStepMethod(params), gamma_(params.get_float("gamma", {.min = 1e-3, .max = 1})) {}

 private:
  Tensor up(const StepGrid& grid, int i, const Tensor& below, const Tensor& x, const Tensor& eps) const override {
    return (below - to_below(grid, i, x, eps)) / gamma_ + to_above(grid, i, x, eps);
  }
  Tensor down(const StepGrid& grid, int i, const Tensor& above, const Tensor& x, const Tensor& eps) const override {
    return gamma_ * (above - to_above(grid, i, x, eps)) + to_below(grid, i, x, eps);
  }

  static Tensor to_above(const StepGrid& grid, int i, const Tensor& x, const Tensor& eps) {
    return grid.step(x, eps, i, i + 1);
  }
  static Tensor to_below(const StepGrid& grid, int i, const Tensor& x, const Tensor& eps) {
    return grid.step(x, eps, i, i - 1);
  }

  double gamma_;
};

const RegisteredMethod<Bdia> bdia(
    {.name = "bdia",
     .summary = "exact: DDIM's step averaged with its inverse; keeps two latents",
     .source = "Zhang et al., Exact Diffusion Inversion via Bi-directional Integration Approximation, ECCV 2024"});

}  // namespace
}  // namespace roundtrip::inversion
