// Prompt-tuning inversion: the conditional embedding of each step is tuned until the guided walk back keeps to pivots
// that were found without the prompt.
//
// Dong, Xue, Duan & Han, "Prompt Tuning Inversion for Text-Driven Image Editing Using Diffusion Models", ICCV 2023:
// null-text inversion with the two embeddings' roles exchanged and pivots from w = 0. An edit samples under
// eta_mix c_target + (1 - eta_mix) c_tuned. There is no code of its authors; the optimiser's settings are null-text's.
#include "inversion/embedding_tuning.h"

namespace roundtrip::inversion {
namespace {

class PromptTuning : public EmbeddingTuning {
 public:
  explicit PromptTuning(const config::Params& params)
      : EmbeddingTuning(EmbeddingFit(EmbeddingFit::Tuned::kConditional, params)),
        eta_mix_(params.get_float("eta_mix", {.min = 0, .max = 1})) {}

  double default_invert_w(double) const override { return 0; }

 private:
  Guides guides(const Problem& p, const Conditioning& tuned, const Conditioning& conditioning) const override {
    Guides guides{conditioning, p.null};
    guides.conditional.tokens = p.edits ? at::lerp(tuned.tokens, conditioning.tokens, eta_mix_) : tuned.tokens;
    return guides;
  }

  double eta_mix_;
};

const MethodRegistration registration(
    {.name = "prompt_tuning",
     .summary = "DDIM's pivots at w = 0, and the prompt's embedding of each step tuned to keep the guided walk on them",
     .source = "Dong et al., Prompt Tuning Inversion for Text-Driven Image Editing, ICCV 2023"},
    [](const config::Params& params) -> std::unique_ptr<Method> { return std::make_unique<PromptTuning>(params); });

}  // namespace
}  // namespace roundtrip::inversion
