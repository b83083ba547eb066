// Negative-prompt inversion: what null-text inversion would tune is replaced by the prompt's own embedding, without
// tuning.
//
// Miyake, Iohara, Saito & Tanaka, "Negative-prompt Inversion: Fast Image Inversion for Editing with Text-guided
// Diffusion Models", 2023 (arXiv 2305.16807). Reconstructing, both embeddings are the prompt's, so that one row is
// asked and the result is DDIM's at w = 1, whatever w. An edit samples under the target prompt against the source
// prompt.
//
// `slerp` goes from the source embedding (0) along the great circle of each token to the null embedding (1).
#include <cmath>

#include "inversion/ddim_method.h"

namespace roundtrip::inversion {
namespace {

// Token by token [L, D]: sin((1-s) a)/sin(a) u + sin(s a)/sin(a) v, a the angle between u and v (Shoemake, 1985).
Tensor slerp(const Tensor& u, const Tensor& v, double s) {
  const Tensor cosine = (u * v).sum(-1, true) / (u.norm(2, -1, true) * v.norm(2, -1, true));
  const Tensor angle = at::acos(cosine.clamp(-1, 1));
  const Tensor sine = at::sin(angle);
  const Tensor on_circle = (at::sin((1 - s) * angle) * u + at::sin(s * angle) * v) / sine;
  return at::where(sine < 1e-4, at::lerp(u, v, s), on_circle);  // nearly parallel: the chord is the arc
}

class NegativePrompt : public DdimMethod {
 public:
  explicit NegativePrompt(const config::Params& params) : slerp_(params.get_float("slerp", {.min = 0, .max = 1})) {}

  Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                          const Conditioning& conditioning) const override {
    Guides guides{conditioning, p.source};
    if (slerp_ > 0) guides.unconditional.tokens = slerp(p.source.tokens, p.null.tokens, slerp_);
    const GuidesAt same = [guides](int) { return guides; };
    return ddim_sample(p, inversion.pivots.back(), same);
  }

  Evaluations sample_evaluations(const Ask& ask) const override {
    return {.forward = guided_rows(ask.steps, ask.w, !ask.edits && slerp_ == 0)};
  }

 private:
  double slerp_;
};

const MethodRegistration registration(
    {.name = "negative_prompt",
     .summary = "DDIM's inversion; the source prompt stands in the null prompt's place on the way back",
     .source = "Miyake et al., Negative-prompt Inversion, 2023 (arXiv 2305.16807)"},
    [](const config::Params& params) -> std::unique_ptr<Method> { return std::make_unique<NegativePrompt>(params); });

}  // namespace
}  // namespace roundtrip::inversion
