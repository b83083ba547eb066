// Exact inversion of DPM-Solvers: each step of the sampler solved backwards by the forward-step method.
//
// Hong, Lee, Jeon, Bae & Chun, "On Exact Inversion of DPM-Solvers", CVPR 2024 (arXiv 2311.18387). From a first guess,
//   r = step(z; i -> i-1) - x_{i-1},   z <- z - rho r      until |r|^2 is small. No gradients.
// Order 1, algorithm 1: the step is DDIM's, the guess the explicit step. Solved to the end it is fixed-point
// inversion's solution.
//
// Order 2, algorithm 2: the sampler is DPM-Solver++(2M) (multistep.h), of first order in its first and its last step.
// Its step from i depends on the unknown x_{i+1}: plain DDIM inversion in strides of 10 timesteps, from x_{i-1} on,
// guesses both x_i and x_{i+1}, and the second-order term of these guesses stays as it is while z is solved for. The
// inversion is exact but for that term.
//
// rho warms up over 20 iterations: to 0.5 at order 1, at order 2 to 1 in the step next to the clean end and to
// 10 / t_{i-1} in the others. In first-order steps it is halved where |r|^2 has not fallen for 20. Each step ends at an
// absolute residual, as published, and more steps leave more of them. Departure at order 2: rho is at most 1, which
// 10 / t exceeds below t = 10, where the iteration diverges unless it ends within a few rounds. The paper's inversion
// of the decoder is not here.
#include <algorithm>
#include <limits>

#include "inversion/implicit_method.h"
#include "inversion/multistep.h"

namespace roundtrip::inversion {
namespace {

// rho of iteration k: as the published code schedules it.
class StepSize {
 public:
  StepSize(double largest, bool halves) : largest_(largest), halves_(halves) {}

  double operator()(double loss) {
    constexpr int kWarmUp = 20, kPatience = 20;
    constexpr double kProgress = 1 - 1e-4;
    stalled_ = loss < best_ * kProgress ? 0 : stalled_ + 1;
    best_ = std::min(best_, loss);
    if (halves_ && stalled_ > kPatience) {
      decay_ /= 2;
      stalled_ = 0;
    }
    return largest_ * decay_ * std::min(1.0, static_cast<double>(++k_) / kWarmUp);
  }

 private:
  double largest_;
  bool halves_;
  int k_ = 0, stalled_ = 0;
  double best_ = std::numeric_limits<double>::infinity(), decay_ = 1;
};

// DPM-Solver++(2M).
class MultistepSampler : public Sampler {
 public:
  MultistepSampler(const Problem& run, Tensor x_S, Conditioning conditioning)
      : Sampler(run, std::move(x_S), std::move(conditioning)), predictions_(run.grid.steps()) {}

  Tensor step(const Tensor& x, const diffusion::CfgOut& out, int i) const override {
    const Tensor m = predicted_x0(run.grid, x, diffusion::cfg(out, w()), i);
    return step_2m(run.grid, x, predictions_.push(run.grid, m, i, /*first_order=*/i == 1), i);
  }

 private:
  mutable PredictionsOfX0 predictions_;  // remembers the step before
};

class DpmSolver : public ImplicitMethod {
 public:
  explicit DpmSolver(const config::Params& params)
      : order_(params.get_int("order", {.min = 1, .max = 2})),
        iterations_(params.get_int("iterations", {.min = 0, .max = 100000})),
        tolerance_(params.get_float("tolerance", {.min = 0})) {}

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    if (order_ == 1) return ImplicitMethod::sampler(run, inversion, guidance);
    return std::make_unique<MultistepSampler>(run, inversion.pivots.back(), guidance.conditioning);
  }

 private:
  Task<Tensor> solve(const ImplicitStep& step, std::vector<double>& residuals) const override {
    const diffusion::StepGrid& grid = step.run.grid;
    const int i = step.i;
    const bool second_order = order_ == 2 && 1 < i && i < grid.steps();
    Tensor z, ahead;  // the second-order term
    if (second_order) {
      Task<Tensor> walking = by_strides(step, step.from, i - 1);
      z = co_await walking;
      walking = by_strides(step, z, i);
      const Tensor beyond = co_await walking;
      const Tensor eps = co_await step.eps(z);
      const Tensor eps_beyond = co_await step.eps_w(beyond, i + 1);
      const Tensor change = predicted_x0(grid, z, eps, i) - predicted_x0(grid, beyond, eps_beyond, i + 1);
      ahead = second_order_share(grid, i) * change;
    } else {
      const Tensor explicit_eps = co_await step.eps(step.from);
      z = step.up(explicit_eps);
    }
    StepSize rho(largest_rho(grid, i), /*halves=*/!second_order);
    for (int64_t k = 0; k < iterations_; ++k) {
      const Tensor eps = co_await step.eps(z);
      const Tensor down = second_order ? step_2m(grid, z, predicted_x0(grid, z, eps, i) + ahead, i) : step.down(z, eps);
      const Tensor r = down - step.from;
      const double squared = r.square().sum().item<double>();
      residuals.push_back(mean_square(r));
      if (squared < tolerance_) break;
      z = z - rho(squared) * r;
    }
    co_return z;
  }

  double largest_rho(const diffusion::StepGrid& grid, int i) const {
    if (order_ == 1) return 0.5;
    return i == 1 ? 1 : std::min(10 / grid[i - 1].t, 1.0);
  }

  // Plain DDIM inversion from x at grid index i to i + 1, asked at each level stepped to.
  static Task<Tensor> by_strides(const ImplicitStep& step, Tensor x, int i) {
    constexpr double kStride = 10;
    const std::vector<diffusion::Level> levels = step.run.grid.between(i, i + 1, kStride);
    for (size_t k = 1; k < levels.size(); ++k) {
      const Tensor eps = co_await step.eps_w.at_time(x, levels[k].t);
      x = diffusion::StepGrid::step(x, eps, levels[k - 1], levels[k]);
    }
    co_return x;
  }

  int64_t order_, iterations_;
  double tolerance_;
};

const RegisteredMethod<DpmSolver> dpm_solver(
    {.name = "dpm_solver",
     .summary = "each step of DPM-Solver++, of order 1 (DDIM) or 2 (2M), solved backwards by the forward-step method",
     .source = "Hong et al., On Exact Inversion of DPM-Solvers, CVPR 2024",
     .converges = false});

}  // namespace
}  // namespace roundtrip::inversion
