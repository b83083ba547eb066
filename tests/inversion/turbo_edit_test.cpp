#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::method_of;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> turbo_edit(int64_t skip_steps, int64_t time_offset, double max_norm) {
  return method_of("turbo_edit", {{"skip_steps", skip_steps}, {"time_offset", time_offset}, {"max_norm", max_norm}});
}

// SDXL-Turbo's schedule.
diffusion::StepGrid turbo_grid(int steps) {
  diffusion::ScheduleConfig schedule = testing::sd_schedule();
  schedule.set_alpha_to_one = true;
  schedule.spacing = diffusion::Spacing::kTrailing;
  return diffusion::ddim_grid(diffusion::NoiseSchedule(schedule), steps);
}

class TurboEditTest : public ::testing::Test {
 protected:
  TurboEditTest() {
    setting.grid = turbo_grid(5);
    setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
  }
  RoundTrip reconstruction(const Method& method) { return testing::round_trip(method, denoiser, x0, setting); }
  RoundTrip edit(const Method& method) {
    Setting editing = setting;
    editing.target = target;
    return testing::round_trip(method, denoiser, x0, editing);
  }

  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Conditioning target{.tokens = at::full({2, 3}, 0.4, at::kDouble)};
  Setting setting{.steps = 5, .w = 1.5};
};

// Told 999, 799, 599, 399, 199; noise of 799, 599, 399, 199 and none.
TEST_F(TurboEditTest, TheNoiseIsOneStepWeakerThanTheNetworkIsTold) {
  const diffusion::StepGrid grid = *setting.grid;
  EXPECT_EQ(grid[5].t, 999);
  EXPECT_EQ(grid[2].t, 399);
  const RoundTrip trip = reconstruction(*turbo_edit(1, 200, 0));
  EXPECT_TRUE(at::equal(trip.inversion.pivots[1], x0));
  for (int i = 2; i <= 5; ++i) {
    const Tensor n = counter_noise(0, "sample")(NoisePurpose::kForward, i, x0);
    const Tensor expected = grid[i - 1].a * x0 + grid[i - 1].s * n;
    EXPECT_LT(testing::largest_difference({trip.inversion.pivots[i]}, {expected}), 1e-14) << i;
  }
  const RoundTrip off_the_grid = reconstruction(*turbo_edit(1, 150, 0));
  const double abar = diffusion::NoiseSchedule(testing::sd_schedule()).alpha_bar(249);
  const Tensor n = counter_noise(0, "sample")(NoisePurpose::kForward, 2, x0);
  EXPECT_LT(
      testing::largest_difference({off_the_grid.inversion.pivots[2]}, {std::sqrt(abar) * x0 + std::sqrt(1 - abar) * n}),
      1e-14);
}

TEST_F(TurboEditTest, ReconstructsExactlyUnlessTheLastMapIsCut) {
  const RoundTrip kept = reconstruction(*turbo_edit(1, 200, 0)), cut = reconstruction(*turbo_edit(1, 200, 0.01));
  EXPECT_LT(kept.error(x0), 1e-12);
  EXPECT_GT(cut.error(x0), 1e-3);
  const Tensor all = kept.inversion.state.at("noise_maps"), shorter = cut.inversion.state.at("noise_maps");
  EXPECT_TRUE(at::equal(all.narrow(0, 0, 3), shorter.narrow(0, 0, 3)));
  EXPECT_NEAR(at::norm(shorter[3]).item<double>(), 0.01, 1e-12);
  EXPECT_TRUE(at::equal(reconstruction(*turbo_edit(1, 200, 1e3)).path.back(), kept.path.back())) << "long enough";
}

TEST_F(TurboEditTest, SkippedStepsCostNothing) {
  const RoundTrip trip = reconstruction(*turbo_edit(1, 200, 15.5));
  EXPECT_EQ(trip.invert_cost.rows, 4);
  EXPECT_EQ(trip.sample_cost.rows, 4);
  EXPECT_EQ(trip.path.size(), 6u);
  EXPECT_TRUE(at::equal(trip.path[1], trip.inversion.pivots[4])) << "where sampling starts";
  EXPECT_EQ(edit(*turbo_edit(1, 200, 15.5)).sample_cost.rows, 4 * 2);  // target and source prompt
  EXPECT_EQ(edit(*turbo_edit(0, 200, 15.5)).sample_cost.rows, 5 * 2);
  setting.w = 1;
  EXPECT_EQ(edit(*turbo_edit(1, 200, 15.5)).sample_cost.rows, 4) << "the target prompt alone";
}

TEST_F(TurboEditTest, WithoutAnOffsetAtWOneItIsEditFriendlyUpToTheLastStep) {
  setting.w = 1;
  const auto edit_friendly = method_of("edit_friendly", {{"skip", 0.0}, {"last_map", std::string("kept")}});
  Trajectory turbo = edit(*turbo_edit(0, 0, 0)).path, other = edit(*edit_friendly).path;
  turbo.pop_back();
  other.pop_back();
  EXPECT_LT(testing::largest_difference(turbo, other), 1e-12);
  turbo = edit(*turbo_edit(0, 100, 0)).path;
  turbo.pop_back();
  EXPECT_GT(testing::largest_difference(turbo, other), 1e-3);
}

// With predictions that do not read x, an edit differs from the image by what each step adds.
TEST_F(TurboEditTest, AnEditIsGuidedAwayFromTheSourcePrompt) {
  testing::XIndependentDenoiser constant;
  setting.target = target;
  const diffusion::StepGrid grid = *setting.grid;
  const double d = 0.4 - 0.05;
  double moved = 0;
  for (int i = 4; i >= 1; --i) {
    const double sigma = grid.sigma(1, i, i - 1);
    moved = moved * grid[i - 1].c / grid[i].c + 1.5 * d * grid.out_coefficient(i, i - 1, sigma);
  }
  const RoundTrip trip = testing::round_trip(*turbo_edit(1, 200, 0), constant, x0, setting);
  EXPECT_LT((trip.path.back() - x0 - moved).abs().max().item<double>(), 1e-12);
}

TEST_F(TurboEditTest, MoreSkippedStepsThanStepsAreRefused) {
  const std::string message =
      testing::error_of([&] { turbo_edit(5, 200, 15.5)->require(*setting.grid); }, ErrorKind::kType);
  EXPECT_EQ(message, "method.skip_steps: found 5, but steps is 5; expected at most 4");
}

}  // namespace
}  // namespace roundtrip::inversion
