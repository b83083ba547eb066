// The networks of tiny-sd against outputs of diffusers and transformers (tests/golden/tiny-sd), within 1e-4.
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/json.h"
#include "model/model_folder.h"
#include "model/safetensors.h"

namespace roundtrip::model {
namespace {

using at::Tensor;

const std::string kGolden = ROUNDTRIP_SOURCE_DIR "/tests/golden/";
constexpr double kTolerance = 1e-4;

Tensor golden(std::string_view name) {
  static const SafetensorsFile file = SafetensorsFile::open(kGolden + "tiny-sd/golden.safetensors");
  return file.tensor(name);
}

std::vector<std::string> prompts() { return read_json(kGolden + "tiny-sd/prompts.json"); }

Model open_tiny(std::string dtype = "float32") {
  return open_model({.path = kGolden + "models/tiny-sd", .dtype = std::move(dtype)});
}

Model& tiny() {
  static Model model = open_tiny();
  return model;
}

double distance(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

class GoldenNetworks : public testing::Test {
 protected:
  c10::NoGradGuard no_grad_;
};

TEST_F(GoldenNetworks, TextEncoderGivesTheHiddenStatesOfEveryPrompt) {
  const Tensor hidden = golden("text.hidden");
  for (size_t p = 0; p < prompts().size(); ++p) {
    const Tensor tokens = tiny().text->encode(prompts()[p]).conditioning.tokens;
    EXPECT_LT(distance(tokens, hidden[p]), kTolerance) << prompts()[p];
  }
}

TEST_F(GoldenNetworks, TextEncoderCountsTheTokensThatDoNotFit) {
  EXPECT_EQ(tiny().text->encode(prompts()[1]).dropped_tokens, 0);
  EXPECT_GT(tiny().text->encode(prompts()[4]).dropped_tokens, 0);
}

TEST_F(GoldenNetworks, TextEncoderTellsTheTokensOfAPrompt) {
  const std::optional<text::PromptTokens> tokens = tiny().text->tokens("a red circle");
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->ids, (std::vector<int64_t>{558, 320, 513, 525, 559}));
  EXPECT_EQ(tokens->pieces, (std::vector<std::string>{"a", "red", "circle"}));
  EXPECT_EQ(tokens->max_length, tiny().text_length);
}

TEST_F(GoldenNetworks, UNetPredictsEpsWithItsOwnTimePerRow) {
  const Tensor eps =
      tiny().denoiser->out({golden("unet.x"), golden("unet.t").to(at::kDouble), {.tokens = golden("unet.cond")}});
  EXPECT_LT(distance(eps, golden("unet.out")), kTolerance);
}

TEST_F(GoldenNetworks, UNetTakesSizesThatDoNotHalveEvenly) {
  const Tensor eps = tiny().denoiser->out(
      {golden("unet.odd_x"), at::full({1}, 321, at::kDouble), {.tokens = golden("text.hidden").narrow(0, 1, 1)}});
  EXPECT_LT(distance(eps, golden("unet.odd_out")), kTolerance);
}

TEST(GoldenGradient, FlowsIntoTheConditioning) {
  const Tensor tokens = golden("unet.cond").narrow(0, 1, 1).clone().requires_grad_(true);
  const Tensor eps =
      tiny().denoiser->out({golden("unet.x").narrow(0, 0, 1), at::full({1}, 500, at::kDouble), {.tokens = tokens}});
  const Tensor gradient = torch::autograd::grad({eps.square().mean()}, {tokens}).front();
  EXPECT_LT(distance(gradient, golden("unet.grad_cond")), kTolerance);
  // The gradient is small everywhere: hold it to its own scale, too.
  EXPECT_LT(distance(gradient, golden("unet.grad_cond")), 1e-3 * gradient.abs().max().item<double>());
}

TEST_F(GoldenNetworks, AutoencoderGivesTheMeanAndSpreadThatTheDiffusionRunsOn) {
  constexpr double kScaling = 0.18215;
  const diffusion::Codec::Posterior posterior = tiny().codec->encode(golden("vae.image"));
  EXPECT_LT(distance(posterior.mean / kScaling, golden("vae.mean")), kTolerance);
  EXPECT_LT(distance((posterior.std / kScaling).log() * 2, golden("vae.logvar")), kTolerance);
  EXPECT_LT(distance(posterior.mean.narrow(0, 0, 1), golden("z0")), kTolerance);
}

TEST_F(GoldenNetworks, AutoencoderDecodesScaledLatents) {
  const Tensor pixels = tiny().codec->decode(golden("vae.mean") * 0.18215);
  EXPECT_LT(distance(pixels, golden("vae.decoded")), kTolerance);
}

TEST_F(GoldenNetworks, DoubleAgreesWithSingle) {
  const Model model = open_tiny("float64");
  const Tensor eps = model.denoiser->out({golden("unet.x").to(at::kDouble),
                                          golden("unet.t").to(at::kDouble),
                                          {.tokens = golden("unet.cond").to(at::kDouble)}});
  EXPECT_EQ(eps.scalar_type(), at::kDouble);
  EXPECT_LT(distance(eps, golden("unet.out")), kTolerance);
}

TEST_F(GoldenNetworks, HalfPrecisionAnswersInTheCallersDtype) {
  const Model model = open_tiny("bfloat16");
  const Tensor eps =
      model.denoiser->out({golden("unet.x"), golden("unet.t").to(at::kDouble), {.tokens = golden("unet.cond")}});
  EXPECT_EQ(eps.scalar_type(), at::kFloat);
  const double error = distance(eps, golden("unet.out"));
  EXPECT_LT(error, 0.1);
  EXPECT_GT(error, 1e-5) << "float32 arithmetic under the name of bfloat16";
}

TEST_F(GoldenNetworks, AGradientChangesNoPrediction) {
  const Tensor quiet =
      tiny().denoiser->out({golden("unet.x"), golden("unet.t").to(at::kDouble), {.tokens = golden("unet.cond")}});
  c10::AutoGradMode grad(true);
  const Tensor x = golden("unet.x").clone().requires_grad_(true);
  const Tensor recorded = tiny().denoiser->out({x, golden("unet.t").to(at::kDouble), {.tokens = golden("unet.cond")}});
  EXPECT_TRUE(recorded.requires_grad());
  EXPECT_LT(distance(quiet, recorded.detach()), 1e-5);
}

// Large enough for slices, of unequal sizes.
TEST_F(GoldenNetworks, ABatchInSlicesIsTheBatchOfItsRows) {
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  const std::vector<int64_t> order{0, 1, 2, 2, 0, 1, 1};
  const Tensor rows = at::tensor(order, at::kLong);
  const Tensor eps = tiny().denoiser->out({golden("unet.x").index({rows}),
                                           golden("unet.t").to(at::kDouble).index({rows}),
                                           {.tokens = golden("unet.cond").index({rows})}});
  at::set_num_threads(threads);
  EXPECT_LT(distance(eps, golden("unet.out").index({rows})), kTolerance);
}

TEST_F(GoldenNetworks, InputsAreLeftAsTheyWere) {
  const Tensor x = golden("unet.x").clone(), tokens = golden("unet.cond").clone();
  tiny().denoiser->out({x, golden("unet.t").to(at::kDouble), {.tokens = tokens}});
  EXPECT_TRUE(x.equal(golden("unet.x")));
  EXPECT_TRUE(tokens.equal(golden("unet.cond")));
}

TEST_F(GoldenNetworks, EncodingDoesNotDependOnTheBatch) {
  const Tensor images = golden("vae.image");
  const Tensor together = tiny().codec->encode(images).mean;
  const Tensor alone = tiny().codec->encode(images.narrow(0, 1, 1)).mean;
  EXPECT_TRUE(together[1].equal(alone[0]));
}

TEST(GoldenFolder, SaysWhatItHolds) {
  EXPECT_EQ(tiny().name, "tiny-sd");
  EXPECT_EQ(tiny().latent_channels, 4);
  EXPECT_EQ(tiny().sample_size, (std::array<int64_t, 2>{16, 16}));
  EXPECT_EQ(tiny().pixel_size, (std::array<int64_t, 2>{32, 32}));
  EXPECT_EQ(tiny().text_length, 77);
  EXPECT_EQ(tiny().text_channels, 32);
  EXPECT_FALSE(tiny().codec->lossless());
  EXPECT_EQ(std::get<diffusion::ScheduleConfig>(tiny().schedule).steps_offset, 1);
  EXPECT_EQ(tiny().digest().size(), 64u);
  EXPECT_EQ(tiny().digest(), open_tiny("float64").digest());
}

}  // namespace
}  // namespace roundtrip::model
