#include <gtest/gtest.h>

#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> ledits_pp(double skip, const std::string& solver = "sde_dpm_2") {
  return testing::method_of("ledits_pp", {{"skip", skip}, {"solver", solver}});
}

class LeditsPpTest : public ::testing::Test {
 protected:
  LeditsPpTest() {
    setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
  }
  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Setting setting{.steps = 34, .invert_w = 3.5, .w = 9};
};

TEST_F(LeditsPpTest, TheFirstOrderSolverIsEditFriendlyInversion) {
  const auto edit_friendly = testing::method_of("edit_friendly", {{"skip", 0.0}, {"last_map", std::string("kept")}});
  for (const bool edits : {false, true}) {
    if (edits) setting.target = Conditioning{.tokens = at::full({2, 3}, 0.11, at::kDouble)};
    const RoundTrip one = round_trip(*ledits_pp(0, "ddpm"), denoiser, x0, setting);
    const RoundTrip other = round_trip(*edit_friendly, denoiser, x0, setting);
    EXPECT_LT(testing::largest_difference(one.inversion.pivots, other.inversion.pivots), 1e-12);
    EXPECT_LT(testing::largest_difference(one.path, other.path), 1e-10);
  }
}

TEST_F(LeditsPpTest, WithEveryMapTheReconstructionIsExact) {
  for (const double skip : {0.0, 0.15, 1.0}) {
    EXPECT_LT(round_trip(*ledits_pp(skip), denoiser, x0, setting).error(x0), 1e-11) << "skip = " << skip;
  }
}

// The pipeline's int(1.15 * 30) = 34 steps: 30 are walked.
TEST_F(LeditsPpTest, WalksTheStepsThatThePipelineWalks) {
  const RoundTrip trip = round_trip(*ledits_pp(0.15), denoiser, x0, setting);
  EXPECT_EQ(trip.invert_cost.rows, 2 * 30);
  EXPECT_EQ(trip.sample_cost.rows, 2 * 30);
  EXPECT_EQ(trip.inversion.state.at("noise_maps").size(0), 30);
  EXPECT_TRUE(at::equal(trip.path[4], trip.inversion.pivots[30]));
}

TEST_F(LeditsPpTest, TheSecondOrderMapsDiffer) {
  const RoundTrip two = round_trip(*ledits_pp(0), denoiser, x0, setting);
  const RoundTrip one = round_trip(*ledits_pp(0, "ddpm"), denoiser, x0, setting);
  const Tensor difference = (two.inversion.state.at("noise_maps") - one.inversion.state.at("noise_maps")).abs();
  EXPECT_LT(difference[0].max().item<double>(), 1e-9);  // the first step has none before it
  EXPECT_GT(difference[10].max().item<double>(), 1e-3);
}

// A clean end without noise: an infinite lambda. The last step is of first order and has no map.
TEST_F(LeditsPpTest, ACleanEndWithoutNoiseHasNoLastMap) {
  diffusion::ScheduleConfig schedule = testing::sd_schedule();
  schedule.set_alpha_to_one = true;
  setting.grid = diffusion::ddim_grid(diffusion::NoiseSchedule(schedule), 34);
  const RoundTrip trip = round_trip(*ledits_pp(0.15), denoiser, x0, setting);
  EXPECT_TRUE(at::isfinite(trip.inversion.state.at("noise_maps")).all().item<bool>());
  EXPECT_EQ(trip.inversion.state.at("noise_maps")[29].abs().max().item<double>(), 0);
  EXPECT_LT((trip.path[33] - trip.inversion.pivots[1]).abs().max().item<double>(), 1e-11);
}

}  // namespace
}  // namespace roundtrip::inversion
