#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::method_of;
using testing::RoundTrip;
using testing::Setting;

struct Options {
  double eta = 1, source_w = 1;
  std::string start = "noise";
  double strength = 1;
};

std::unique_ptr<Method> infedit(const Options& options) {
  return method_of("infedit", {{"eta", options.eta},
                               {"source_guidance_scale", options.source_w},
                               {"start", options.start},
                               {"strength", options.strength}});
}

class InfEditTest : public ::testing::Test {
 protected:
  InfEditTest() {
    setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
  }
  RoundTrip reconstruction(const Options& options = {}) {
    return testing::round_trip(*infedit(options), denoiser, x0, setting);
  }
  RoundTrip edit(const Options& options = {}) {
    Setting editing = setting;
    editing.target = Conditioning{.tokens = at::full({2, 3}, 0.11, at::kDouble)};
    return testing::round_trip(*infedit(options), denoiser, x0, editing);
  }

  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Setting setting{.steps = 12, .w = 2};
};

TEST_F(InfEditTest, UnderEqualPromptsAndScalesItStaysAtTheImage) {
  for (const Options& options : {Options{}, Options{.eta = 0.5, .source_w = 3}, Options{.start = "noised"}}) {
    const RoundTrip trip = reconstruction(options);
    ASSERT_EQ(trip.path.size(), 13u);
    for (const Tensor& x : trip.path) EXPECT_TRUE(at::equal(x, x0));
    EXPECT_EQ(trip.inversion.notes.size(), 1u) << "a reconstruction by construction says so";
  }
  setting.target = setting.source;
  EXPECT_EQ(testing::round_trip(*infedit({.source_w = 2}), denoiser, x0, setting).error(x0), 0);
  EXPECT_GT(testing::round_trip(*infedit({.source_w = 1}), denoiser, x0, setting).error(x0), 1e-3)
      << "an edit keeps to guidance_scale";
}

// With predictions that do not read x, whatever the noise: y = x_0 - d sum_i s_i / a_i.
TEST_F(InfEditTest, TheDifferencesOfAllStepsAddUp) {
  testing::XIndependentDenoiser constant;
  setting.target = Conditioning{.tokens = at::full({2, 3}, 0.11, at::kDouble)};
  setting.w = 1;
  const diffusion::StepGrid grid = setting.step_grid();
  const double d = 0.11 - 0.05;
  for (const Options& options : {Options{}, Options{.eta = 0.3}, Options{.start = "noised", .strength = 0.5}}) {
    Tensor y = x0;
    for (int i = options.strength == 1 ? 12 : 6; i >= 1; --i) y = y - d * grid[i].p;
    const RoundTrip trip = testing::round_trip(*infedit(options), constant, x0, setting);
    EXPECT_LT((trip.path.back() - y).abs().max().item<double>(), 1e-11);
  }
}

TEST_F(InfEditTest, StartsFromNoiseAloneOrFromTheNoisedImage) {
  class Watching : public testing::ConditionedDenoiser {
   public:
    explicit Watching(Tensor& first) : first_(first) {}
    Tensor out(const diffusion::Batch& batch) override {
      if (!first_.defined()) first_ = batch.x[0].clone();
      return ConditionedDenoiser::out(batch);
    }

   private:
    Tensor& first_;
  };
  const Tensor n = counter_noise(0, "sample")(NoisePurpose::kForward, 12, x0);
  const diffusion::Level level = setting.step_grid()[12];
  for (const auto& [start, expected] :
       std::map<std::string, Tensor>{{"noise", n}, {"noised", level.a * x0 + level.s * n}}) {
    Tensor first;
    Watching watching(first);
    testing::round_trip(*infedit({.start = start}), watching, x0, setting);
    EXPECT_LT((first - expected).abs().max().item<double>(), 1e-14) << start;
  }
}

TEST_F(InfEditTest, ReadsFreshNoiseForItsShareOfTheVariance) {
  const Tensor fresh = edit().path.back(), none = edit({.eta = 0}).path.back();
  setting.seed = 1;
  EXPECT_GT((edit().path.back() - fresh).abs().max().item<double>(), 1e-3);
  EXPECT_GT((edit({.eta = 0}).path.back() - none).abs().max().item<double>(), 1e-3) << "the start is drawn, too";
  int draws = 0;
  setting.noise = [&](NoisePurpose purpose, int i, const Tensor& like) {
    draws += purpose == NoisePurpose::kSampling;
    return counter_noise(0, "sample")(purpose, i, like);
  };
  edit();
  EXPECT_EQ(draws, 11) << "one for each step but the last";
}

TEST_F(InfEditTest, AsksForBothPromptsAtEveryStep) {
  const RoundTrip trip = edit();
  EXPECT_EQ(trip.invert_cost.rows, 0);
  EXPECT_EQ(trip.sample_cost.rows, 12 * (2 + 1));  // the target is guided, the source is not
  EXPECT_EQ(edit({.source_w = 3}).sample_cost.rows, 12 * (2 + 2));
  EXPECT_EQ(edit({.strength = 0.5}).sample_cost.rows, 6 * 3);
  EXPECT_EQ(edit({.strength = 0.5}).path.size(), 13u);
}

TEST_F(InfEditTest, AStrengthThatLeavesNoStepIsRefused) {
  const std::string message =
      testing::error_of([&] { infedit({.strength = 0.05})->require(setting.step_grid()); }, ErrorKind::kType);
  EXPECT_EQ(message, "method.strength: found 0.05, which leaves out every one of 12 steps; expected 0.0833 or more");
}

}  // namespace
}  // namespace roundtrip::inversion
