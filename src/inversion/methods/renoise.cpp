// ReNoise: a few fixed-point iterations of DDIM's implicit step, predictions averaged and regularised towards white
// noise.
//
// From z = x_{i-1}, for k = 0..R: eps_k = eps_w(z, tau_i), then z = PHI(x_{i-1}; i-1 -> i, eps_k). The predictions of a
// window [a, b) of k are averaged, and their mean makes the last step. What makes a step from k = a on, and the mean,
// is corrected towards noise: its patches towards those of the prediction for the image noised to tau_i, and its
// autocorrelation towards 0 (noise_likeness.h). Below a timestep another window and at most 5 iterations apply.
// Garibi et al., "ReNoise: Real Image Inversion Through Iterative Noising", ECCV 2024; constants as its published code
// has them. With the published R = 1 nothing is averaged or corrected above that timestep: one fixed-point iteration.
// Where eps is nothing like noise, the regularisation takes it for an error. Its noise correction belongs to stochastic
// samplers and is not here.
#include <algorithm>
#include <cmath>

#include "inversion/implicit_method.h"
#include "inversion/noise_likeness.h"

namespace roundtrip::inversion {
namespace {

struct Window {
  int64_t from, to;  // [from, to)
  bool holds(int64_t k) const { return from <= k && k < to; }
};

Window window_of(const config::Params& params, const std::string& key) {
  return {params.get_int(key + "_from", {.min = 0}), params.get_int(key + "_to", {.min = 0})};
}

class ReNoise : public ImplicitMethod {
 public:
  explicit ReNoise(const config::Params& params)
      : iterations_(params.get_int("iterations", {.min = 0, .max = 1000})),
        averages_(params.get_bool("averaging")),
        regularises_(params.get_bool("regularisation")),
        low_t_(params.get_int("low_t", {.min = 0})),
        low_(window_of(params, "low_window")),
        high_(window_of(params, "high_window")) {}

 private:
  static constexpr int64_t kLowIterations = 5;

  Task<Tensor> solve(const ImplicitStep& step, std::vector<double>& residuals) const override {
    const bool low = step.run.grid[step.i].t < static_cast<double>(low_t_);
    const Window window = low ? low_ : high_;
    const int64_t R = low ? std::min(iterations_, kLowIterations) : iterations_;
    Tensor reference;
    if (regularises_) {
      const Tensor noise = step.run.noise(NoisePurpose::kForward, step.i, step.x0);
      reference = co_await step.eps(step.run.grid.noised(step.x0, noise, 0, step.i));
    }
    Tensor z = step.from, sum;
    int64_t averaged = 0;
    for (int64_t k = 0; k <= R; ++k) {
      Tensor eps = co_await step.eps(z);
      if (averages_ && window.holds(k)) {
        sum = sum.defined() ? sum + eps : eps;
        ++averaged;
      }
      if (k >= window.from || (!averages_ && k > 0)) eps = corrected(step, std::move(eps), reference);
      const Tensor mapped = step.up(eps);
      residuals.push_back(mean_square(mapped - z));
      z = mapped;
    }
    if (averaged > 0) z = step.up(corrected(step, sum / static_cast<double>(averaged), reference));
    co_return z;
  }

  // eps moved towards what noise looks like; as it is where that is switched off.
  Tensor corrected(const ImplicitStep& step, Tensor eps, const Tensor& reference) const {
    if (!regularises_) return eps;
    constexpr int kOuter = 4, kInner = 5, kLevels = 4;
    constexpr double kPatchKl = 0.065, kLargest = 100, kAutocorrelation = 20;
    // The shifts of the autocorrelation: uniform draws, the same whenever this step is asked.
    const Tensor normal =
        step.run.noise(NoisePurpose::kShifts, step.i, at::empty({kOuter, kInner, kLevels}, at::kDouble));
    const Tensor uniforms = at::erfc(normal / -std::sqrt(2.0)) / 2;
    for (int outer = 0; outer < kOuter; ++outer) {
      eps = eps - kPatchKl * patch_kl_gradient(eps, reference).clamp(-kLargest, kLargest);
      for (int inner = 0; inner < kInner; ++inner) {
        eps = eps - kAutocorrelation / kInner * autocorrelation_gradient(eps, uniforms[outer][inner]);
      }
    }
    return eps;
  }

  int64_t iterations_;  // R
  bool averages_, regularises_;
  int64_t low_t_;
  Window low_, high_;
};

const RegisteredMethod<ReNoise> renoise(
    {.name = "renoise",
     .summary = "fixed-point iterations, predictions averaged and regularised towards white noise",
     .source = "Garibi et al., ReNoise, ECCV 2024",
     .converges = false,
     .only_for = diffusion::Out::kEps});

}  // namespace
}  // namespace roundtrip::inversion
