// Null-text, prompt-tuning and negative-prompt inversion against plain PyTorch on diffusers (tests/golden/tiny-sd):
// every loss, the tuned embeddings, reconstructions and edits.
#include <ATen/core/grad_mode.h>

#include "run/golden_fixture.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using inversion::EpsAt;
using inversion::Inversion;

class GoldenTuning : public GoldenFixture {
 protected:
  struct Tuned {
    Inversion inversion;
    inversion::Trajectory reconstruction, edit;
  };

  // At w = 7.5, from the recorded pivots.
  Tuned tune(const inversion::Method& method, const std::string& pivots, EpsAt eps_at = EpsAt::kTo) {
    inversion::Problem::Parts parts = problem(cost_);
    parts.settings.numbers[inversion::kWKey] = 7.5;
    parts.settings.eps_at = eps_at;
    const inversion::Problem p(parts);
    const inversion::Guidance reconstructing{p.source}, editing{target_.conditioning, true};
    Tuned tuned;
    tuned.inversion.pivots = golden(pivots).unbind(0);
    tuned.inversion = run(method.fit(p, tuned.inversion));
    tuned.reconstruction = run(method.sample(p, tuned.inversion, reconstructing));
    tuned.edit = run(method.sample(p, tuned.inversion, editing));
    return tuned;
  }

  static Params fitting(int64_t inner_steps, double early_stop = 1e-5) {
    return {{"inner_steps", inner_steps}, {"learning_rate", 1e-2}, {"early_stop", early_stop}};
  }
  static Params null_text(int64_t inner_steps, double early_stop = 1e-5) {
    Params params = fitting(inner_steps, early_stop);
    params["pivots"] = std::string("ddim");
    params["embedding"] = std::string("per_step");
    return params;
  }

  // Every loss in the order computed, and with that the number of inner steps.
  static void expect_losses(const Inversion& inversion, const std::string& name) {
    std::vector<double> losses;
    for (int i = 10; i >= 1; --i) {
      const std::vector<double>& inner = inversion.losses.at(i);
      losses.insert(losses.end(), inner.begin(), inner.end());
    }
    const Tensor expected = golden(name);
    ASSERT_EQ(static_cast<int64_t>(losses.size()), expected.numel()) << name;
    for (size_t j = 0; j < losses.size(); ++j) {
      const double loss = expected[j].item<double>();
      EXPECT_NEAR(losses[j], loss, 1e-4 * loss) << name << " at update " << j;
    }
  }

  static void expect_embeddings(const Tensor& tuned, const std::string& name) {
    const Tensor expected = golden(name);
    ASSERT_EQ(tuned.sizes(), expected.sizes()) << name;
    EXPECT_LT((tuned - expected).square().mean().sqrt().item<double>(), 5e-4) << name;
  }
};

TEST_F(GoldenTuning, NullTextWithThreeAndTenInnerSteps) {
  for (const int inner_steps : {3, 10}) {
    const std::string name = fmt::format("nti.inner{}", inner_steps);
    const Tuned tuned = tune(*method("null_text", null_text(inner_steps)), "ddim.t.w1.pivots");
    expect_losses(tuned.inversion, name + ".losses");
    expect_embeddings(tuned.inversion.state.at("null_embeddings"), name + ".nulls");
    expect_close(tuned.reconstruction, name + ".recon");
    expect_close(tuned.edit, name + ".edit");
  }
}

TEST_F(GoldenTuning, NullTextStopsEachStepWhereTheThresholdSays) {
  const double early_stop = golden("nti.early.threshold").item<double>();
  const Tuned tuned = tune(*method("null_text", null_text(10, early_stop)), "ddim.t.w1.pivots");
  expect_losses(tuned.inversion, "nti.early.losses");
  expect_embeddings(tuned.inversion.state.at("null_embeddings"), "nti.early.nulls");
  expect_close(tuned.reconstruction, "nti.early.recon");
}

TEST_F(GoldenTuning, PromptTuning) {
  Params params = fitting(3);
  params["eta_mix"] = 0.8;
  const Tuned tuned = tune(*method("prompt_tuning", params), "ddim.t.w0.pivots");
  expect_losses(tuned.inversion, "pti.inner3.losses");
  expect_embeddings(tuned.inversion.state.at("prompt_embeddings"), "pti.inner3.conds");
  expect_close(tuned.reconstruction, "pti.inner3.recon");
  expect_close(tuned.edit, "pti.inner3.edit.mix0.8");
}

TEST_F(GoldenTuning, NegativePrompt) {
  for (const char* eps_at : {"t", "t-1"}) {
    const Tuned negative =
        tune(*method("negative_prompt", {{"slerp", int64_t{0}}}), fmt::format("ddim.{}.w1.pivots", eps_at));
    expect_close(negative.reconstruction, fmt::format("npi.{}.recon.w7.5", eps_at));
    expect_close(negative.edit, fmt::format("npi.{}.edit.w7.5", eps_at));
  }
}

// Weights never ask for gradients, and a fit leaves every one as it was.
TEST_F(GoldenTuning, TheNetworkStaysFrozen) {
  const auto answer = [&] {
    const at::NoGradGuard no_grad;
    return model_->denoiser->out({golden("unet.x"), golden("unet.t").to(at::kDouble), {.tokens = golden("unet.cond")}});
  };
  const Tensor before = answer();
  const Tensor source = source_.conditioning.tokens.clone();
  tune(*method("null_text", null_text(3)), "ddim.t.w1.pivots");
  EXPECT_TRUE(at::equal(answer(), before));
  EXPECT_TRUE(at::equal(source_.conditioning.tokens, source));
  // Inside a batch with gradients, nothing but the embedding has one: without it eps hangs on no graph.
  const at::AutoGradMode grad(true);
  const diffusion::Batch batch{golden("unet.x"), golden("unet.t").to(at::kDouble), {.tokens = golden("unet.cond")}};
  EXPECT_FALSE(model_->denoiser->out(batch).requires_grad());
}

}  // namespace
}  // namespace roundtrip::run
