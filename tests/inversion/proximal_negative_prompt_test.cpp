#include <gtest/gtest.h>

#include "support/inversion_bench.h"

namespace roundtrip::inversion {
namespace {

using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;

struct Options {
  std::string prox = "soft";
  double quantile = 0.7;
  int64_t guidance_below = 0;
  double guidance_rate = 1;
  int64_t dilation = 1;
};

std::unique_ptr<Method> proximal(const Options& options) {
  return make_method("proximal_negative_prompt",
                     config::Params("method", {{"name", std::string("proximal_negative_prompt")},
                                               {"prox", options.prox},
                                               {"quantile", options.quantile},
                                               {"guidance_below", options.guidance_below},
                                               {"guidance_rate", options.guidance_rate},
                                               {"dilation", options.dilation}}));
}

// Source and target differ in eps by the ramp 0, 1, .., 15, scaled: quantiles of it are known.
class RampDenoiser : public diffusion::Denoiser {
 public:
  Tensor out(const diffusion::Batch& batch) override {
    const auto& [x, t, conditioning, linked] = batch;
    const Tensor ramp = at::arange(16, at::kDouble).view({1, 4, 4});
    return x * 0.1 + testing::per_row(conditioning.tokens.flatten(1).sum(1), x) * ramp;
  }
};

class ProximalTest : public ::testing::Test {
 protected:
  ProximalTest() {
    setting.source.tokens = at::zeros({1, 1}, at::kDouble);
    setting.null.tokens = at::full({1, 1}, -0.3, at::kDouble);
    setting.target = Conditioning{.tokens = at::full({1, 1}, 0.1, at::kDouble)};
  }
  // The edit's difference from the walk under the source, in units of the step's eps coefficient times w.
  Tensor moved(const Options& options) {
    const RoundTrip edit = round_trip(*proximal(options), denoiser, x0, setting);
    Setting source = setting;
    source.target = {};
    const RoundTrip still = round_trip(*proximal(options), denoiser, x0, source);
    return (edit.path.back() - still.path.back())[0].flatten();
  }

  RampDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 16, at::kDouble).view({1, 4, 4});
  Setting setting{.steps = 1, .w = 2};
};

TEST_F(ProximalTest, ReconstructsAsNegativePromptDoes) {
  setting.target = {};
  setting.steps = 8;
  const auto negative = make_method(
      "negative_prompt", config::Params("method", {{"name", std::string("negative_prompt")}, {"slerp", 0.0}}));
  const RoundTrip trip = round_trip(*proximal({}), denoiser, x0, setting);
  EXPECT_TRUE(at::equal(at::stack(trip.path), at::stack(round_trip(*negative, denoiser, x0, setting).path)));
  EXPECT_EQ(trip.sample_cost.rows, 8);
}

TEST_F(ProximalTest, QuantileZeroWithoutGuidanceIsNegativePromptsEdit) {
  setting.steps = 8;
  const auto negative = make_method(
      "negative_prompt", config::Params("method", {{"name", std::string("negative_prompt")}, {"slerp", 0.0}}));
  const RoundTrip plain = round_trip(*negative, denoiser, x0, setting);
  for (const char* prox : {"hard", "soft"}) {
    const RoundTrip trip = round_trip(*proximal({.prox = prox, .quantile = 0}), denoiser, x0, setting);
    EXPECT_LT((trip.path.back() - plain.path.back()).abs().max().item<double>(), 1e-12) << prox;
  }
}

TEST_F(ProximalTest, HardKeepsWhatIsAboveTheThresholdAndSoftShrinksIt) {
  // |d| = 0.1 (0, 1, .., 15); the 0.6-quantile is 0.1 * 9.
  const Tensor hard = moved({.prox = "hard", .quantile = 0.6}), soft = moved({.prox = "soft", .quantile = 0.6});
  const double unit = (hard[15] / 15).item<double>();
  ASSERT_GT(std::abs(unit), 1e-3);
  for (int k = 0; k < 16; ++k) {
    EXPECT_NEAR(hard[k].item<double>(), k > 9 ? unit * k : 0, 1e-12) << k;
    EXPECT_NEAR(soft[k].item<double>(), k > 9 ? unit * (k - 9) : 0, 1e-12) << k;
  }
}

TEST_F(ProximalTest, InversionGuidanceDrawsTheRestToThePivots) {
  setting.steps = 6;
  const Options guided{.quantile = 0.9, .guidance_below = 1000, .guidance_rate = 1, .dilation = 0};
  const RoundTrip trip = round_trip(*proximal(guided), denoiser, x0, setting);
  const Tensor off = (trip.path.back() - x0)[0].flatten().abs();
  for (int k = 0; k < 13; ++k) EXPECT_EQ(off[k].item<double>(), 0) << k;
  EXPECT_GT(off[15].item<double>(), 1e-3);
}

TEST_F(ProximalTest, AnEditedPixelsNeighboursCountAsEdited) {
  setting.steps = 6;
  const auto kept = [&](int64_t dilation) {
    const Options options{.quantile = 0.95, .guidance_below = 1000, .guidance_rate = 1, .dilation = dilation};
    const RoundTrip trip = round_trip(*proximal(options), denoiser, x0, setting);
    return (trip.path.back() == x0).sum().item<int64_t>();
  };
  EXPECT_EQ(kept(0), 15);  // all but the corner, 15
  EXPECT_EQ(kept(1), 12);  // and its three neighbours
}

}  // namespace
}  // namespace roundtrip::inversion
