// DDIM and forward noise on a Stable-Diffusion-shaped folder against plain PyTorch on diffusers (tests/golden/tiny-sd):
// tokenizer, text encoder, VAE, UNet, grid and methods together.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "model/model_folder.h"
#include "model/safetensors.h"
#include "support/inversion_bench.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using inversion::EpsAt;
using inversion::Trajectory;

class GoldenTrajectories : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    model_ = new model::Model(model::open_model({.path = ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd"}));
    golden_ = new model::SafetensorsFile(
        model::SafetensorsFile::open(ROUNDTRIP_SOURCE_DIR "/tests/golden/tiny-sd/golden.safetensors"));
  }
  static void TearDownTestSuite() {
    delete model_;
    delete golden_;
  }

  static Tensor golden(const std::string& name) { return golden_->tensor(name); }

  inversion::Problem problem(engine::Engine& engine, engine::Cost& cost) const {
    return {.grid = diffusion::StepGrid(diffusion::NoiseSchedule(model_->schedule), 10),
            .network = inversion::Network(engine, cost),
            .source = source_.conditioning,
            .null = null_.conditioning,
            .noise = inversion::counter_noise(0, "golden")};
  }

  static std::unique_ptr<inversion::Method> method(const std::string& name) {
    return inversion::make_method(name, config::Params("method", {{"name", name}}));
  }

  static void expect_close(const Trajectory& path, const std::string& name) {
    const Tensor expected = golden(name), actual = at::stack(path);
    ASSERT_EQ(actual.sizes(), expected.sizes()) << name;
    for (int64_t i = 0; i < expected.size(0); ++i) {
      const double error = (actual[i] - expected[i]).abs().max().item<double>();
      EXPECT_LT(error, 1e-4 * expected[i].abs().max().item<double>()) << name << " at entry " << i;
    }
  }

  // Tokenizer and text encoder are part of what is tested: prompts 1 and 0 of prompts.json.
  diffusion::TextEncoder::Encoded source_ = model_->text->encode("a red circle on the left");
  diffusion::TextEncoder::Encoded null_ = model_->text->encode("");
  engine::Engine engine_{*model_->denoiser, {.batch = {.max_batch = 4}}};
  engine::Cost cost_;

  static model::Model* model_;
  static model::SafetensorsFile* golden_;
};

model::Model* GoldenTrajectories::model_ = nullptr;
model::SafetensorsFile* GoldenTrajectories::golden_ = nullptr;

TEST_F(GoldenTrajectories, EmbeddingsAndLatent) {
  const at::NoGradGuard no_grad;
  EXPECT_LT((source_.conditioning.tokens - golden("cond")[0]).abs().max().item<double>(), 1e-4);
  EXPECT_LT((null_.conditioning.tokens - golden("null")[0]).abs().max().item<double>(), 1e-4);
  const auto posterior = model_->codec->encode(golden("vae.image").narrow(0, 0, 1));
  EXPECT_LT((posterior.mean - golden("z0")).abs().max().item<double>(), 1e-4);
}

TEST_F(GoldenTrajectories, PivotsOfBothEpsChoicesAndEveryGuidance) {
  for (const EpsAt eps_at : {EpsAt::kTarget, EpsAt::kSource}) {
    for (const double w : {0.0, 1.0, 3.0}) {
      inversion::Problem p = problem(engine_, cost_);
      p.eps_at = eps_at;
      p.invert_w = w;
      const auto inversion = testing::run_alone(engine_, method("ddim")->invert(p, golden("z0")[0]));
      expect_close(inversion.pivots, fmt::format("ddim.{}.w{}.pivots", eps_at == EpsAt::kTarget ? "t" : "t-1", w));
    }
  }
}

TEST_F(GoldenTrajectories, ReconstructionsWithAndWithoutGuidance) {
  for (const EpsAt eps_at : {EpsAt::kTarget, EpsAt::kSource}) {
    for (const double w : {1.0, 7.5}) {
      const std::string prefix = fmt::format("ddim.{}.w1", eps_at == EpsAt::kTarget ? "t" : "t-1");
      inversion::Problem p = problem(engine_, cost_);
      p.w = w;
      inversion::Inversion inversion;
      inversion.pivots = golden(prefix + ".pivots").unbind(0);
      const auto path = testing::run_alone(engine_, method("ddim")->sample(p, inversion, p.source));
      expect_close(path, fmt::format("{}.recon.w{}", prefix, w));
    }
  }
}

TEST_F(GoldenTrajectories, ForwardNoiseWithTheGivenNoise) {
  inversion::Problem p = problem(engine_, cost_);
  const Tensor noise = golden("forward.noise");
  p.noise = [&](NoisePurpose, int i, const Tensor&) { return noise[i - 1]; };
  const auto inversion = testing::run_alone(engine_, method("forward_noise")->invert(p, golden("z0")[0]));
  expect_close(inversion.pivots, "forward.path");
}

TEST_F(GoldenTrajectories, SamplingWithEtaOneAndTheGivenNoise) {
  inversion::Problem p = problem(engine_, cost_);
  p.eta = 1;
  const Tensor noise = golden("forward.noise");  // noise[k] at the k-th step, the noisiest first
  p.noise = [&](NoisePurpose, int i, const Tensor&) { return noise[10 - i]; };
  inversion::Inversion inversion;
  inversion.pivots = golden("ddim.t.w1.pivots").unbind(0);
  const auto path = testing::run_alone(engine_, method("ddim")->sample(p, inversion, p.source));
  expect_close(path, "eta1.recon");
}

}  // namespace
}  // namespace roundtrip::run
