// Null-text inversion: the null embedding of each step is tuned until the guided walk back keeps to the pivots.
//
// Mokady, Hertz, Aberman, Pritch & Cohen-Or, "Null-text Inversion for Editing Real Images using Guided Diffusion
// Models", CVPR 2023, algorithm 1; the stopping rule and the decay of the learning rate as its published notebook has
// them (embedding_fit.h). The pivots are DDIM's at w = 1. An edit samples under the target prompt against the tuned
// embeddings.
//
// `pivots: forward_noise` and `embedding: global` are the paper's ablations: a random noising of the image in place of
// DDIM's pivots, and one embedding for all steps, tuned in K passes over the pivots by one Adam at the full learning
// rate, without early stops.
#include "inversion/adam.h"
#include "inversion/ddim_method.h"
#include "inversion/embedding_fit.h"
#include "inversion/forward_chain.h"

namespace roundtrip::inversion {
namespace {

constexpr const char* kNulls = "null_embeddings";  // [S, L, D], the noisiest step first; [1, L, D] where global

class NullText : public DdimMethod {
 public:
  explicit NullText(const config::Params& params)
      : fit_step_(params),
        global_(params.get_string("embedding", {"per_step", "global"}) == "global"),
        random_pivots_(params.get_string("pivots", {"ddim", "forward_noise"}) == "forward_noise") {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    if (!random_pivots_) co_return co_await DdimMethod::invert(run, std::move(x0));
    Inversion inversion;
    inversion.pivots = forward_chain(run, std::move(x0));
    co_return inversion;
  }

  Task<Inversion> fit(const Problem& run, Inversion inversion) const override {
    if (run.w() == 1) {
      inversion.notes.emplace_back(
          "guidance_scale 1 does not read the embedding that would be tuned: nothing was fitted");
    }
    if (run.w() == 1 || fit_step_.inner_steps == 0) co_return inversion;
    Task<Inversion> fitting = global_ ? fit_global(run, std::move(inversion)) : fit_each(run, std::move(inversion));
    co_return co_await fitting;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    const auto fitted = inversion.state.find(kNulls);
    const Tensor nulls = fitted == inversion.state.end() ? Tensor() : fitted->second;
    const Sampler::PairAt pair_at = [&run, nulls, c = guidance.conditioning](int i) {
      CfgPair pair{c, run.null};
      if (nulls.defined()) pair.unconditional.tokens = nulls[nulls.size(0) == 1 ? 0 : run.grid.steps() - i];
      return pair;
    };
    return std::make_unique<Sampler>(run, inversion.pivots.back(), pair_at);
  }

  // The fit's own walk, which adds no noise.
  Trajectory known_reconstruction(const Problem& run, const Inversion& inversion) const override {
    return run.eta() == 0 ? inversion.reconstruction : Trajectory{};
  }

 private:
  // Algorithm 1.
  Task<Inversion> fit_each(const Problem& run, Inversion inversion) const {
    const int S = run.grid.steps();
    Conditioning null = run.null;        // carried on from step to step
    Tensor x = inversion.pivots.back();  // where the steps before have led, not the pivot
    std::vector<Tensor> nulls;
    inversion.reconstruction = {x};
    for (int i = S; i >= 1; --i) {
      std::vector<double>& losses = inversion.losses[i];
      try {
        const Tensor eps_c = co_await predict(run, x, i, run.source);
        const FitStep step{run, i, x, inversion.pivots[i - 1], eps_c, 1 - run.w()};
        null = co_await fit_step_(step, null, losses);
        const Tensor eps_null = co_await predict(run, x, i, null);
        x = step.lead(eps_null);
      } catch (const Error& error) {
        rethrow_at_step(error, run, i, losses);
      }
      inversion.reconstruction.push_back(x);
      nulls.push_back(null.tokens);
    }
    inversion.state[kNulls] = at::stack(nulls);
    co_return inversion;
  }

  // The ablation: one embedding for all steps.
  Task<Inversion> fit_global(const Problem& run, Inversion inversion) const {
    const int S = run.grid.steps();
    std::vector<FitStep> steps;
    for (int i = S; i >= 1; --i) {
      const Tensor x = inversion.pivots[i];
      const Tensor eps_c = co_await predict(run, x, i, run.source);
      steps.push_back(FitStep{run, i, x, inversion.pivots[i - 1], eps_c, 1 - run.w()});
    }
    Conditioning null = run.null;
    Adam adam(fit_step_.learning_rate);
    for (int pass = 0; pass < fit_step_.inner_steps; ++pass) {
      for (const FitStep& step : steps) {
        const FitStep::Pull pulled = co_await step.pull(null);
        inversion.losses[step.i].push_back(pulled.loss);
        null.tokens = adam.step(null.tokens, pulled.gradient);
      }
    }
    inversion.state[kNulls] = null.tokens.unsqueeze(0);
    Tensor x = inversion.pivots.back();
    inversion.reconstruction = {x};
    for (FitStep& step : steps) {
      step.x = x;
      step.eps_other = co_await predict(run, x, step.i, run.source);
      const Tensor eps_null = co_await predict(run, x, step.i, null);
      x = step.lead(eps_null);
      inversion.reconstruction.push_back(x);
    }
    co_return inversion;
  }

  EmbeddingFit fit_step_;
  bool global_, random_pivots_;
};

const RegisteredMethod<NullText> null_text(
    {.name = "null_text",
     .summary = "DDIM's pivots, and the null embedding of each step tuned to keep the guided walk on them",
     .source = "Mokady et al., Null-text Inversion for Editing Real Images, CVPR 2023",
     .needs_cfg = true,
     .tunes_tokens = true});

}  // namespace
}  // namespace roundtrip::inversion
