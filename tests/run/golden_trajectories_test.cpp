// DDIM and forward noise on a Stable-Diffusion-shaped folder against plain PyTorch on diffusers (tests/golden/tiny-sd):
// tokenizer, text encoder, VAE, UNet, grid and methods together.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "run/golden_fixture.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using inversion::EpsAt;

class GoldenTrajectories : public GoldenFixture {};

TEST_F(GoldenTrajectories, EmbeddingsAndLatent) {
  const at::NoGradGuard no_grad;
  EXPECT_LT((source_.conditioning.tokens - golden("cond")[0]).abs().max().item<double>(), 1e-4);
  EXPECT_LT((null_.conditioning.tokens - golden("null")[0]).abs().max().item<double>(), 1e-4);
  const auto posterior = model_->codec->encode(golden("vae.image").narrow(0, 0, 1));
  EXPECT_LT((posterior.mean - golden("z0")).abs().max().item<double>(), 1e-4);
}

TEST_F(GoldenTrajectories, PivotsOfBothEpsChoicesAndEveryGuidance) {
  for (const EpsAt eps_at : {EpsAt::kTo, EpsAt::kFrom}) {
    for (const double w : {0.0, 1.0, 3.0}) {
      inversion::Problem::Parts parts = problem(cost_);
      parts.settings.eps_at = eps_at;
      parts.settings.invert_w = w;
      const inversion::Problem p(parts);
      const auto inversion = run(method("ddim")->invert(p, golden("z0")[0]));
      expect_close(inversion.pivots, fmt::format("ddim.{}.w{}.pivots", eps_at == EpsAt::kTo ? "t" : "t-1", w));
    }
  }
}

TEST_F(GoldenTrajectories, ReconstructionsWithAndWithoutGuidance) {
  for (const EpsAt eps_at : {EpsAt::kTo, EpsAt::kFrom}) {
    for (const double w : {1.0, 7.5}) {
      const std::string prefix = fmt::format("ddim.{}.w1", eps_at == EpsAt::kTo ? "t" : "t-1");
      inversion::Problem::Parts parts = problem(cost_);
      parts.settings.numbers[inversion::kWKey] = w;
      inversion::Inversion inversion;
      inversion.pivots = golden(prefix + ".pivots").unbind(0);
      const inversion::Problem p(parts);
      const inversion::Guidance guidance{p.source};
      const auto path = run(method("ddim")->sample(p, inversion, guidance));
      expect_close(path, fmt::format("{}.recon.w{}", prefix, w));
    }
  }
}

TEST_F(GoldenTrajectories, ForwardNoiseWithTheGivenNoise) {
  inversion::Problem::Parts parts = problem(cost_);
  const Tensor noise = golden("forward.noise");
  parts.noise = [&](NoisePurpose, int i, const Tensor&) { return noise[i - 1]; };
  const inversion::Problem p(parts);
  const auto inversion = run(method("forward_noise")->invert(p, golden("z0")[0]));
  expect_close(inversion.pivots, "forward.path");
}

TEST_F(GoldenTrajectories, SamplingWithEtaOneAndTheGivenNoise) {
  inversion::Problem::Parts parts = problem(cost_);
  parts.settings.numbers[inversion::kEtaKey] = 1;
  const Tensor noise = golden("forward.noise");  // noise[k] at the k-th step, the noisiest first
  parts.noise = [&](NoisePurpose, int i, const Tensor&) { return noise[10 - i]; };
  inversion::Inversion inversion;
  inversion.pivots = golden("ddim.t.w1.pivots").unbind(0);
  const inversion::Problem p(parts);
  const inversion::Guidance guidance{p.source};
  const auto path = run(method("ddim")->sample(p, inversion, guidance));
  expect_close(path, "eta1.recon");
}

}  // namespace
}  // namespace roundtrip::run
