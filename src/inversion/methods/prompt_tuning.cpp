// Prompt-tuning inversion: the conditional embedding of each step is tuned until the guided walk back keeps to pivots
// that were found without the prompt.
//
// Dong, Xue, Duan & Han, "Prompt Tuning Inversion for Text-Driven Image Editing Using Diffusion Models", ICCV 2023:
// null-text inversion with the two embeddings' roles exchanged and pivots from w = 0. An edit samples under
// eta_mix c_target + (1 - eta_mix) c_tuned. Its authors published no code; the optimiser's settings are null-text's.
#include "inversion/ddim_method.h"
#include "inversion/embedding_fit.h"

namespace roundtrip::inversion {
namespace {

constexpr const char* kPrompts = "prompt_embeddings";  // [S, L, D], the noisiest step first

class PromptTuning : public DdimMethod {
 public:
  explicit PromptTuning(const config::Params& params)
      : fit_step_(params), eta_mix_(params.get_float("eta_mix", {.min = 0, .max = 1})) {}

  Task<Inversion> fit(const Problem& run, Inversion inversion) const override {
    if (run.w() == 0) {
      inversion.notes.emplace_back(
          "guidance_scale 0 does not read the embedding that would be tuned: nothing was fitted");
    }
    if (run.w() == 0 || fit_step_.inner_steps == 0) co_return inversion;
    Conditioning c = run.source;         // carried on from step to step
    Tensor x = inversion.pivots.back();  // where the steps before have led, not the pivot
    std::vector<Tensor> prompts;
    inversion.reconstruction = {x};
    for (int i = run.grid.steps(); i >= 1; --i) {
      std::vector<double>& losses = inversion.losses[i];
      try {
        const Tensor eps_null = co_await predict(run, x, i, run.null);
        const FitStep step{run, i, x, inversion.pivots[i - 1], eps_null, run.w()};
        c = co_await fit_step_(step, c, losses);
        const Tensor eps_c = co_await predict(run, x, i, c);
        x = step.lead(eps_c);
      } catch (const Error& error) {
        rethrow_at_step(error, run, i, losses);
      }
      inversion.reconstruction.push_back(x);
      prompts.push_back(c.tokens);
    }
    inversion.state[kPrompts] = at::stack(prompts);
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    const auto fitted = inversion.state.find(kPrompts);
    const Tensor prompts = fitted == inversion.state.end() ? Tensor() : fitted->second;
    const Sampler::PairAt pair_at = [this, &run, prompts, guidance](int i) {
      CfgPair pair{guidance.conditioning, run.null};
      const Tensor tuned = prompts.defined() ? prompts[run.grid.steps() - i] : run.source.tokens;
      pair.conditional.tokens = guidance.is_edit ? at::lerp(tuned, guidance.conditioning.tokens, eta_mix_) : tuned;
      return pair;
    };
    return std::make_unique<Sampler>(run, inversion.pivots.back(), pair_at);
  }

  // The fit's own walk, which adds no noise.
  Trajectory known_reconstruction(const Problem& run, const Inversion& inversion) const override {
    return run.eta() == 0 ? inversion.reconstruction : Trajectory{};
  }

  double default_invert_w(double) const override { return 0; }

 private:
  EmbeddingFit fit_step_;
  double eta_mix_;
};

const RegisteredMethod<PromptTuning> prompt_tuning(
    {.name = "prompt_tuning",
     .summary = "DDIM's pivots at w = 0, and the prompt's embedding of each step tuned to keep the guided walk on them",
     .source = "Dong et al., Prompt Tuning Inversion for Text-Driven Image Editing, ICCV 2023",
     .needs_cfg = true,
     .tunes_tokens = true});

}  // namespace
}  // namespace roundtrip::inversion
