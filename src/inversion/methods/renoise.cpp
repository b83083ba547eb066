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
//
// It inverts at w = 1 whatever w sampling has: that is what its published settings do, and its released code cannot
// regularise a guided prediction. The regularisation takes steps of a fixed length down a loss that is quartic in eps,
// made for predictions of variance 1. On a latent of N pixels a step against the autocorrelation overshoots where the
// variance of eps is above N / 8 or so; a guided prediction has up to w^2 times the variance, and then grows beyond all
// bounds within a few steps. This is named as an error, with step and loss.
//
// `form: released` regularises as the released code does: twice the gradient of the patches' divergence, and shifts of
// each channel's own, 0 among them.
#include <algorithm>
#include <cmath>
#include <vector>

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
        as_released_(params.get_string("form", {"paper", "released"}) == "released"),
        low_t_(params.get_int("low_t", {.min = 0})),
        low_(window_of(params, "low_window")),
        high_(window_of(params, "high_window")) {}

  double default_invert_w(double) const override { return 1; }

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
      if (k >= window.from || (!averages_ && k > 0)) eps = corrected(step, eps, reference);
      const Tensor mapped = step.up(eps);
      residuals.push_back(mean_square(mapped - z));
      z = mapped;
    }
    if (averaged > 0) z = step.up(corrected(step, sum / static_cast<double>(averaged), reference));
    co_return z;
  }

  // eps moved towards what noise looks like; as it is where that is switched off. Throws kNumeric where it diverges.
  Tensor corrected(const ImplicitStep& step, const Tensor& prediction, const Tensor& reference) const {
    if (!regularises_) return prediction;
    constexpr int kOuter = 4, kInner = 5, kLevels = 4;
    constexpr double kPatchKl = 0.065, kLargest = 100, kAutocorrelation = 20;
    // The shifts of the autocorrelation: uniform draws, the same whenever this step is asked.
    std::vector<int64_t> draws{kOuter, kInner};
    if (as_released_) draws.push_back(prediction.size(0));
    draws.push_back(kLevels);
    const Tensor normal = step.run.noise(NoisePurpose::kShifts, step.i, at::empty(draws, at::kDouble));
    const Tensor uniforms = at::erfc(normal / -std::sqrt(2.0)) / 2;
    Tensor eps = prediction;
    for (int outer = 0; outer < kOuter; ++outer) {
      eps = eps - kPatchKl * patch_kl_gradient(eps, reference, as_released_).clamp(-kLargest, kLargest);
      for (int inner = 0; inner < kInner; ++inner) {
        eps = eps - kAutocorrelation / kInner * autocorrelation_gradient(eps, uniforms[outer][inner]);
      }
      // All steps against the divergence of the patches together move an element by at most 26.
      constexpr double kDiverged = 1e4;
      const double variance = mean_square(prediction);
      if (mean_square(eps) <= kDiverged * std::max(variance, 1.0)) continue;
      const Tensor shifts = uniforms[outer][0];
      throw Error(
          ErrorKind::kNumeric,
          fmt::format("step {} at t={:g}: the regularisation towards white noise diverges from a loss of {:.3g} "
                      "to {:.3g} in {} of {} rounds; the prediction's mean square is {:.3g}, expected about 1; "
                      "use a smaller invert_guidance_scale (1 as published) or method.regularisation=false",
                      step.i, step.run.grid[step.i].t, autocorrelation(prediction, shifts),
                      autocorrelation(eps.nan_to_num(HUGE_VAL), shifts), outer + 1, kOuter, variance));
    }
    return eps;
  }

  int64_t iterations_;  // R
  bool averages_, regularises_, as_released_;
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
