// Exact inversion of DPM-Solver, order 1: DDIM's implicit step solved backwards by the forward-step method.
//
// Hong, Lee, Jeon, Bae & Chun, "On Exact Inversion of DPM-Solvers", CVPR 2024, algorithm 1. From the explicit step,
//   r = PHI(z; i -> i-1, eps_w(z, tau_i)) - x_{i-1},   z <- z - rho r
// until |r|^2 is small. rho warms up to 0.5 over 20 iterations, and is halved where |r|^2 has not fallen for 20. No
// gradients. Solved to the end it is fixed-point inversion's solution. Each step ends at an absolute residual, as
// published, and more steps leave more of them. The paper's order 2 and its inversion of the decoder are not here.
#include <algorithm>
#include <limits>

#include "inversion/implicit_method.h"

namespace roundtrip::inversion {
namespace {

// rho of iteration k: as the published code schedules it.
class StepSize {
 public:
  double operator()(double loss) {
    constexpr int kWarmUp = 20, kPatience = 20;
    constexpr double kLargest = 0.5, kProgress = 1 - 1e-4;
    stalled_ = loss < best_ * kProgress ? 0 : stalled_ + 1;
    best_ = std::min(best_, loss);
    if (stalled_ > kPatience) {
      decay_ /= 2;
      stalled_ = 0;
    }
    return kLargest * decay_ * std::min(1.0, static_cast<double>(++k_) / kWarmUp);
  }

 private:
  int k_ = 0, stalled_ = 0;
  double best_ = std::numeric_limits<double>::infinity(), decay_ = 1;
};

class DpmSolver : public ImplicitMethod {
 public:
  explicit DpmSolver(const config::Params& params)
      : iterations_(params.get_int("iterations", {.min = 0, .max = 100000})),
        tolerance_(params.get_float("tolerance", {.min = 0})) {}

 private:
  Task<Tensor> solve(const ImplicitStep& step, std::vector<double>& residuals) const override {
    const Tensor explicit_eps = co_await step.eps(step.from);
    Tensor z = step.up(explicit_eps);
    StepSize rho;
    for (int64_t k = 0; k < iterations_; ++k) {
      const Tensor eps = co_await step.eps(z);
      const Tensor r = step.down(z, eps) - step.from;
      const double squared = r.square().sum().item<double>();
      residuals.push_back(mean_square(r));
      if (squared < tolerance_) break;
      z = z - rho(squared) * r;
    }
    co_return z;
  }

  int64_t iterations_;
  double tolerance_;
};

const RegisteredMethod<DpmSolver> dpm_solver(
    {.name = "dpm_solver",
     .summary = "the implicit DDIM step solved by the forward-step method (DPM-Solver of order 1 inverted exactly)",
     .source = "Hong et al., On Exact Inversion of DPM-Solvers, CVPR 2024, algorithm 1",
     .converges = false});

}  // namespace
}  // namespace roundtrip::inversion
