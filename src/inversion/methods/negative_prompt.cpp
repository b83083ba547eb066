// Negative-prompt inversion: the prompt's own embedding takes the null embedding's place, and nothing is tuned.
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

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    CfgPair pair{guidance.conditioning, run.source};
    if (slerp_ > 0 && !run.source.tokens.defined()) {
      throw Error(
          ErrorKind::kType,
          fmt::format("method.slerp: found {}; the model's prompts have no tokens to turn; expected 0", slerp_));
    }
    if (slerp_ > 0) pair.unconditional.tokens = slerp(run.source.tokens, run.null.tokens, slerp_);
    return std::make_unique<Sampler>(run, inversion.pivots.back(), [pair](int) { return pair; });
  }

 private:
  double slerp_;
};

const RegisteredMethod<NegativePrompt> negative_prompt(
    {.name = "negative_prompt",
     .summary = "DDIM's inversion; the source prompt takes the null prompt's place on the way back",
     .source = "Miyake et al., Negative-prompt Inversion, 2023 (arXiv 2305.16807)",
     .needs_cfg = true});

}  // namespace
}  // namespace roundtrip::inversion
