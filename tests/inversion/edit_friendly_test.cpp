#include <gtest/gtest.h>

#include "support/inversion_bench.h"

namespace roundtrip::inversion {
namespace {

using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> edit_friendly(double skip = 0, const std::string& last_map = "kept") {
  return make_method(
      "edit_friendly",
      config::Params("method", {{"name", std::string("edit_friendly")}, {"skip", skip}, {"last_map", last_map}}));
}

class EditFriendlyTest : public ::testing::Test {
 protected:
  EditFriendlyTest() {
    setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
  }
  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Setting setting{.steps = 25, .invert_w = 3.5, .w = 15};
};

TEST_F(EditFriendlyTest, WithEveryMapTheReconstructionIsExact) {
  for (const double skip : {0.0, 0.36}) {
    EXPECT_LT(round_trip(*edit_friendly(skip), denoiser, x0, setting).error(x0), 1e-12) << "skip = " << skip;
  }
}

TEST_F(EditFriendlyTest, AsPublishedTheLastMapIsZeroAndTheReconstructionInexact) {
  const RoundTrip trip = round_trip(*edit_friendly(0, "zero"), denoiser, x0, setting);
  EXPECT_EQ(trip.inversion.state.at("noise_maps")[24].abs().max().item<double>(), 0);
  EXPECT_GT(trip.error(x0), 1e-4);
  EXPECT_LT((trip.path[24] - trip.inversion.pivots[1]).abs().max().item<double>(), 1e-12);
}

TEST_F(EditFriendlyTest, TheNoisingsAreIndependentOfEachOther) {
  const Tensor image = at::zeros({1, 100, 100}, at::kDouble);
  const RoundTrip trip = round_trip(*edit_friendly(), denoiser, image, setting);
  const Tensor a = trip.inversion.pivots[20].flatten(), b = trip.inversion.pivots[21].flatten();
  const double correlation = ((a * b).mean() / (a.square().mean() * b.square().mean()).sqrt()).item<double>();
  EXPECT_LT(std::abs(correlation), 0.05);
}

TEST_F(EditFriendlyTest, SkippedStepsCostNothingOnTheWayBack) {
  const RoundTrip trip = round_trip(*edit_friendly(0.36), denoiser, x0, setting);
  EXPECT_EQ(trip.invert_cost.rows, 2 * 25);
  EXPECT_EQ(trip.sample_cost.rows, 2 * 16);
  EXPECT_EQ(trip.inversion.state.at("noise_maps").size(0), 25);
}

TEST_F(EditFriendlyTest, ReplaysAtTheInversionsScaleAndEditsAtW) {
  const RoundTrip trip = round_trip(*edit_friendly(), denoiser, x0, setting);
  setting.target = setting.source;
  EXPECT_GT(
      (round_trip(*edit_friendly(), denoiser, x0, setting).path.back() - trip.path.back()).abs().max().item<double>(),
      1e-3);
  setting.w = 3.5;
  EXPECT_LT(round_trip(*edit_friendly(), denoiser, x0, setting).error(x0), 1e-12);
}

// From timestep 0 to a clean end at its own level sigma is 0: no map, and no division by it.
TEST_F(EditFriendlyTest, AStepWithoutNoiseHasNoMap) {
  engine::Engine engine(denoiser, {});
  engine::Cost cost;
  diffusion::ScheduleConfig schedule = testing::sd_schedule();
  schedule.steps_offset = 0;
  const Settings settings;
  const Problem p({.grid = diffusion::ddim_grid(diffusion::NoiseSchedule(schedule), 10),
                   .network = Network(engine, cost),
                   .source = setting.source,
                   .null = setting.null,
                   .settings = settings,
                   .noise = counter_noise(0, "sample")});
  const auto method = edit_friendly();
  const Inversion inversion = testing::run_alone(engine, method->invert(p, x0));
  EXPECT_TRUE(at::isfinite(inversion.state.at("noise_maps")).all().item<bool>());
  const Guidance guidance{p.source};
  const Trajectory path = testing::run_alone(engine, method->sample(p, inversion, guidance));
  EXPECT_LT((path.back() - x0).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace roundtrip::inversion
