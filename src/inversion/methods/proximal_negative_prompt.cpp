// Proximal negative-prompt inversion: negative-prompt inversion whose edits move only where the prompts disagree
// enough.
//
//   d = eps(x, t, c_target) - eps(x, t, c_source),   lambda = the q-quantile of |d|,   eps = eps(c_source) + w prox(d)
//   hard: prox(d) = d where |d| > lambda, else 0        soft: prox(d) = sign(d) max(|d| - lambda, 0)
// and, below a timestep, elsewhere the walk is drawn back to the pivots ("inversion guidance"):
//   x_{i-1} <- x_{i-1} - rate (x_{i-1} - pivot_{i-1}) (1 - M),   M = dilate(|d| > lambda)
// Han et al., "ProxEdit: Improving Tuning-Free Real Image Editing with Proximal Guidance", WACV 2024. The branch of its
// code that is labelled l0 is the soft threshold here; the one labelled l1 flips signs and is not here.
// It reconstructs as negative_prompt does; eta is not read when editing.
#include "inversion/ddim_method.h"

namespace roundtrip::inversion {
namespace {

// The edit: both prompts are compared at every step, whatever w is.
class ProximalSampler : public Sampler {
 public:
  struct Options {
    bool hard;
    double quantile;
    int64_t guided_below;
    double guidance_rate;
    int64_t dilation;
  };

  ProximalSampler(const Problem& run, const Inversion& inversion, const Conditioning& target, const Options& options)
      : Sampler(run, inversion.pivots.back(), [&run, target](int) { return CfgPair{target, run.source}; }),
        pivots_(inversion.pivots),
        options_(options) {}

  diffusion::CfgRows rows(const CfgPair&) const override { return diffusion::CfgRows::kBoth; }

  Tensor step(const Tensor& x, const diffusion::CfgOut& eps, int i) const override {
    const Tensor d = eps.conditional - eps.unconditional;
    const Tensor lambda = at::quantile(d.abs().flatten(), options_.quantile);
    const Tensor moved = at::add(eps.unconditional, prox(d, lambda), w());
    const Tensor led = run.grid.step(x, moved, i, i - 1);
    if (run.grid[i].t >= static_cast<double>(options_.guided_below)) return led;
    const Tensor outside = 1 - dilate((d.abs() > lambda).to(led.scalar_type()));
    return led - options_.guidance_rate * (led - pivots_[i - 1]) * outside;
  }

 private:
  Tensor prox(const Tensor& d, const Tensor& lambda) const {
    if (options_.hard) return at::where(d.abs() > lambda, d, 0.0);
    return d.sign() * (d.abs() - lambda).clamp_min(0);
  }

  // [C, h, w] of 0 and 1: each 1 becomes a square of 2 dilation + 1.
  Tensor dilate(const Tensor& mask) const {
    const int64_t n = options_.dilation;
    return at::max_pool2d(mask, {2 * n + 1, 2 * n + 1}, {1, 1}, {n, n});
  }

  Trajectory pivots_;
  Options options_;
};

class ProximalNegativePrompt : public DdimMethod {
 public:
  explicit ProximalNegativePrompt(const config::Params& params)
      : options_{.hard = params.get_string("prox", {"hard", "soft"}) == "hard",
                 .quantile = params.get_float("quantile", {.min = 0, .max = 1}),
                 .guided_below = params.get_int("guidance_below", {.min = 0}),
                 .guidance_rate = params.get_float("guidance_rate", {.min = 0, .max = 1}),
                 .dilation = params.get_int("dilation", {.min = 0, .max = 1000})} {}

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    if (guidance.is_edit) return std::make_unique<ProximalSampler>(run, inversion, guidance.conditioning, options_);
    const CfgPair pair{guidance.conditioning, run.source};
    return std::make_unique<Sampler>(run, inversion.pivots.back(), [pair](int) { return pair; });
  }

 private:
  ProximalSampler::Options options_;
};

const RegisteredMethod<ProximalNegativePrompt> proximal_negative_prompt(
    {.name = "proximal_negative_prompt",
     .summary = "negative_prompt whose edits are thresholded, and drawn back to the pivots elsewhere (ProxNPI)",
     .source = "Han et al., ProxEdit, WACV 2024",
     .needs_cfg = true});

}  // namespace
}  // namespace roundtrip::inversion
