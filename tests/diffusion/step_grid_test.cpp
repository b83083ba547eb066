#include "diffusion/step_grid.h"

#include <cmath>
#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "diffusion/flow_schedule.h"
#include "support/closed_form.h"
#include "support/error_of.h"

namespace roundtrip::diffusion {
namespace {

TEST(StepGrid, MatchesDiffusersSchedules) {
  std::ifstream file(ROUNDTRIP_SOURCE_DIR "/tests/golden/tiny-sd/schedules.json");
  const nlohmann::json cases = nlohmann::json::parse(file);
  const std::map<std::string, BetaSchedule> betas = {{"linear", BetaSchedule::kLinear},
                                                     {"scaled_linear", BetaSchedule::kScaledLinear},
                                                     {"squaredcos_cap_v2", BetaSchedule::kSquaredCosine}};
  const std::map<std::string, Spacing> spacings = {
      {"leading", Spacing::kLeading}, {"trailing", Spacing::kTrailing}, {"linspace", Spacing::kLinspace}};
  ASSERT_EQ(cases.size(), 210u);
  for (const auto& row : cases) {
    const NoiseSchedule schedule({.beta_start = row["beta_start"],
                                  .beta_end = row["beta_end"],
                                  .beta_schedule = betas.at(row["beta_schedule"]),
                                  .set_alpha_to_one = row["set_alpha_to_one"],
                                  .steps_offset = row["steps_offset"],
                                  .spacing = spacings.at(row["spacing"])});
    const int S = row["steps"];
    const StepGrid grid = ddim_grid(schedule, S);
    SCOPED_TRACE(row["spacing"].get<std::string>() + " " + std::to_string(S));
    ASSERT_EQ(grid.steps(), row["n"]);
    const auto& listed = row["timesteps"];  // descending; the first and last two of long ones
    const int n = listed.size();
    for (int k = 0; k < n; ++k) {
      const int i = n == S ? S - k : (k < n / 2 ? S - k : n - k);
      if (n != S && k == 2 && n == 5) continue;
      EXPECT_EQ(grid[i].t, listed[k]) << "i = " << i;
    }
    EXPECT_NEAR(testing::alpha_bar(grid, S), row["abar_first"], 2e-5);
    EXPECT_NEAR(testing::alpha_bar(grid, 0), row["final_abar"], 2e-5);
  }
}

// As diffusers' LCMScheduler chooses them, for several numbers of timesteps that a model was distilled at.
TEST(StepGrid, AConsistencyModelKeepsToTheTimestepsThatItWasDistilledAt) {
  std::ifstream file(ROUNDTRIP_SOURCE_DIR "/tests/golden/tiny-sd/lcm_timesteps.json");
  const nlohmann::json cases = nlohmann::json::parse(file);
  ScheduleConfig config = testing::sd_schedule();
  config.spacing = Spacing::kLcm;
  for (const auto& row : cases) {
    const auto timesteps = row["timesteps"].get<std::vector<double>>();  // descending
    config.distilled_steps = row["original_inference_steps"];
    const int S = static_cast<int>(timesteps.size());
    const StepGrid grid = ddim_grid(NoiseSchedule(config), S);
    for (int i = 1; i <= S; ++i) {
      EXPECT_EQ(grid[i].t, timesteps[S - i]) << config.distilled_steps << " distilled, step " << i << " of " << S;
    }
  }
  EXPECT_EQ(cases.size(), 147u);
}

TEST(StepGrid, RefusesMoreStepsThanAConsistencyModelWasDistilledAt) {
  ScheduleConfig config = testing::sd_schedule();
  config.spacing = Spacing::kLcm;
  const NoiseSchedule schedule(config);
  EXPECT_NO_THROW(ddim_grid(schedule, 50));
  const std::string message = testing::error_of([&] { ddim_grid(schedule, 51); }, ErrorKind::kType);
  EXPECT_EQ(message, "steps: 51 was given; expected 1 to 50, the scheduler's original_inference_steps");
}

TEST(StepGrid, KnowsTheLevelsBetweenItsOwn) {
  const NoiseSchedule schedule(testing::sd_schedule());
  const StepGrid grid = ddim_grid(schedule, 10);
  EXPECT_EQ(grid.level_at(401).p, grid[5].p);
  EXPECT_EQ(grid.level_at(401).t, 401);
  const Level between = grid.level_at(377);
  EXPECT_NEAR(between.a * between.a + between.s * between.s, 1, 1e-15);
  EXPECT_NEAR(between.a * between.a, schedule.alpha_bar(377), 1e-15);
  for (const int t : {0, -200}) EXPECT_EQ(grid.level_at(t).p, grid[0].p) << t;
}

TEST(StepGrid, TheMarginalOfALevelTakesTheImageToBeClean) {
  const StepGrid grid = ddim_grid(NoiseSchedule(testing::sd_schedule()), 10);  // its clean end is not
  const Tensor x0 = at::full({2}, 0.5, at::kDouble), n = at::full({2}, -0.3, at::kDouble);
  const Tensor x = marginal(x0, n, grid[4]);
  EXPECT_NEAR(x[0].item<double>(), grid[4].a * 0.5 - grid[4].s * 0.3, 1e-15);
  EXPECT_GT((x - grid.noised(x0, n, 0, 4)).abs().max().item<double>(), 1e-5);
}

TEST(StepGrid, CleanEndIsAskedAtATimestepThatExists) {
  const NoiseSchedule schedule(testing::sd_schedule());
  EXPECT_EQ(ddim_grid(schedule, 50)[0].t, 0);   // max(1 - 20, 0)
  EXPECT_EQ(ddim_grid(schedule, 999)[0].t, 0);  // max(1 - 1, 0)
  ScheduleConfig trailing = testing::sd_schedule();
  trailing.spacing = Spacing::kTrailing;
  EXPECT_EQ(ddim_grid(NoiseSchedule(trailing), 7)[0].t, 0);  // tau[1] = 142 = T / S
}

TEST(StepGrid, RefusesMoreStepsThanTheModelWasTrainedOn) {
  const NoiseSchedule schedule(testing::sd_schedule());
  EXPECT_THROW(ddim_grid(schedule, 0), Error);
  EXPECT_THROW(ddim_grid(schedule, 1001), Error);
  try {
    ddim_grid(schedule, 1000);  // leading with offset 1 would ask for timestep 1000
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("timestep 1000"), std::string::npos) << error.message();
  }
}

TEST(StepGrid, StepCoefficientsMatchTheReference) {
  ScheduleConfig config = testing::sd_schedule();
  const auto eps_coefficient = [](const StepGrid& grid, int i) { return grid.out_coefficient(i - 1, i); };
  const StepGrid offset1 = ddim_grid(NoiseSchedule(config), 50);
  EXPECT_NEAR(eps_coefficient(offset1, 1), .012137, 1e-6);
  EXPECT_NEAR(eps_coefficient(offset1, 2), .099162, 1e-6);
  EXPECT_NEAR(eps_coefficient(offset1, 50), .109767, 1e-6);
  config.steps_offset = 0;
  const StepGrid offset0 = ddim_grid(NoiseSchedule(config), 50);
  EXPECT_EQ(eps_coefficient(offset0, 1), 0.0);  // the first step of the p2p family is the identity
  EXPECT_NEAR(eps_coefficient(offset0, 50), .109615, 1e-6);
  double product = 1;
  for (int i = 1; i <= 50; ++i)
    product *= std::sqrt(testing::alpha_bar(offset0, i) / testing::alpha_bar(offset0, i - 1));
  EXPECT_NEAR(product, .0764772, 1e-7);
}

TEST(StepGrid, ARescaledScheduleEndsWhereAWayBackIsLeft) {
  ScheduleConfig config = testing::sd_schedule();
  config.rescale_zero_snr = true;
  config.spacing = Spacing::kTrailing;
  const StepGrid grid = ddim_grid(NoiseSchedule(config), 10);
  EXPECT_EQ(grid[10].t, 999);
  EXPECT_EQ(testing::alpha_bar(grid, 10), kMinAlphaBar);
  const at::Tensor x = at::ones({1}, at::kDouble), eps = 0.5 * x;
  const at::Tensor there = grid.step(x, eps, 9, 10);
  EXPECT_NEAR(grid.step(there, eps, 10, 9).item<double>(), 1, 1e-9);
}

TEST(StepGrid, LevelsBetweenGridPointsAreTheSchedules) {
  const NoiseSchedule schedule(testing::sd_schedule());
  const StepGrid grid = ddim_grid(schedule, 40);  // steps of 25 timesteps
  const std::vector<Level> levels = grid.between(3, 4, 10);
  ASSERT_EQ(levels.size(), 4u);
  const double from = grid[3].t;
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(levels[k].t, from + 10 * k);
    EXPECT_NEAR(levels[k].a * levels[k].a, schedule.alpha_bar(static_cast<int>(levels[k].t)), 1e-12);
  }
  EXPECT_EQ(levels[3].t, grid[4].t);
  EXPECT_EQ(grid.between(3, 4, 25).size(), 2u);
  EXPECT_EQ(StepGrid({grid[3], grid[4]}, Out::kEps).between(0, 1, 10).size(), 2u);
  // The sum of the steps between is the step.
  const at::Tensor x = at::ones({1}, at::kDouble), eps = 0.5 * x;
  at::Tensor there = x;
  for (size_t k = 1; k < 4; ++k) there = StepGrid::step(there, eps, levels[k - 1], levels[k]);
  EXPECT_NEAR(there.item<double>(), grid.step(x, eps, 3, 4).item<double>(), 1e-12);
}

TEST(StepGrid, LevelsBetweenThoseOfAFlowAreOnItsLine) {
  const std::vector<Level> levels = flow_grid(FlowConfig{}, 4, 256).between(1, 2, 100);  // sigma 0.001 to 0.334
  ASSERT_EQ(levels.size(), 5u);
  EXPECT_NEAR(levels[2].t, 201, 1e-9);
  EXPECT_NEAR(levels[2].s, 0.201, 1e-12);
  EXPECT_NEAR(levels[2].a + levels[2].p, 1, 1e-12);
}

}  // namespace
}  // namespace roundtrip::diffusion
