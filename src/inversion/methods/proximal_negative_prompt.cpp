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
#include "diffusion/transfer.h"
#include "inversion/ddim_method.h"

namespace roundtrip::inversion {
namespace {

class ProximalNegativePrompt : public DdimMethod {
 public:
  explicit ProximalNegativePrompt(const config::Params& params)
      : hard_(params.get_string("prox", {"hard", "soft"}) == "hard"),
        quantile_(params.get_float("quantile", {.min = 0, .max = 1})),
        guided_below_(params.get_int("guidance_below", {.min = 0})),
        guidance_rate_(params.get_float("guidance_rate", {.min = 0, .max = 1})),
        dilation_(params.get_int("dilation", {.min = 0, .max = 1000})) {}

  Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                          const Conditioning& conditioning) const override {
    if (p.edits) return edit(p, inversion, conditioning);
    const Guides guides{conditioning, p.source};
    const GuidesAt same = [guides](int) { return guides; };
    return ddim_sample(p, inversion.pivots.back(), same);
  }

  Evaluations sample_evaluations(const Ask& ask) const override {
    return {.forward = ask.edits ? 2 * ask.steps : ask.steps};  // an edit compares the prompts at any w
  }

 private:
  Task<Trajectory> edit(const Problem& p, const Inversion& inversion, const Conditioning& target) const {
    Tensor x = inversion.pivots.back();
    Trajectory path{x};
    for (int i = p.grid.steps(); i >= 1; --i) {
      std::vector<engine::Row> rows;
      rows.emplace_back(x, p.grid.time(i), target);
      rows.emplace_back(x, p.grid.time(i), p.source);
      const std::vector<Tensor> eps = co_await p.network.eps(std::move(rows));
      const Tensor d = eps[0] - eps[1];
      const Tensor lambda = at::quantile(d.abs().flatten(), quantile_);
      const Tensor moved = at::add(eps[1], prox(d, lambda), p.w);
      x = diffusion::transfer(x, moved, p.grid.alpha_bar(i), p.grid.alpha_bar(i - 1));
      if (p.grid.time(i) < guided_below_) {
        const Tensor outside = 1 - dilate((d.abs() > lambda).to(x.scalar_type()));
        x = x - guidance_rate_ * (x - inversion.pivots[i - 1]) * outside;
      }
      path.push_back(x);
    }
    co_return path;
  }

  Tensor prox(const Tensor& d, const Tensor& lambda) const {
    if (hard_) return at::where(d.abs() > lambda, d, 0.0);
    return d.sign() * (d.abs() - lambda).clamp_min(0);
  }

  // [C, h, w] of 0 and 1: each 1 becomes a square of 2 dilation + 1.
  Tensor dilate(const Tensor& mask) const {
    return at::max_pool2d(mask, {2 * dilation_ + 1, 2 * dilation_ + 1}, {1, 1}, {dilation_, dilation_});
  }

  bool hard_;
  double quantile_;
  int64_t guided_below_;
  double guidance_rate_;
  int64_t dilation_;
};

const MethodRegistration registration(
    {.name = "proximal_negative_prompt",
     .summary = "negative_prompt whose edits are thresholded, and drawn back to the pivots elsewhere (ProxNPI)",
     .source = "Han et al., ProxEdit, WACV 2024"},
    [](const config::Params& params) -> std::unique_ptr<Method> {
      return std::make_unique<ProximalNegativePrompt>(params);
    });

}  // namespace
}  // namespace roundtrip::inversion
