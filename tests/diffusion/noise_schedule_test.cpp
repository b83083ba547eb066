#include "diffusion/noise_schedule.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "support/closed_form.h"

namespace roundtrip::diffusion {
namespace {

TEST(NoiseSchedule, MatchesStableDiffusionAnchors) {
  const NoiseSchedule schedule(testing::sd_schedule());
  EXPECT_NEAR(schedule.alpha_bar(0), .9991500000, 1e-9);
  EXPECT_NEAR(schedule.alpha_bar(1), .9982960278, 1e-9);
  EXPECT_NEAR(schedule.alpha_bar(20), .9813143622, 1e-9);
  EXPECT_NEAR(schedule.alpha_bar(21), .9803807481, 1e-9);
  EXPECT_NEAR(schedule.alpha_bar(500), .2763326838, 1e-9);
  EXPECT_NEAR(schedule.alpha_bar(980), .0058437833, 1e-9);
  EXPECT_NEAR(schedule.alpha_bar(999), .0046600985, 1e-9);
}

TEST(NoiseSchedule, FinalAlphaIsOneOrTheFirst) {
  ScheduleConfig config = testing::sd_schedule();
  EXPECT_EQ(NoiseSchedule(config).final_alpha_bar(), NoiseSchedule(config).alpha_bar(0));
  config.set_alpha_to_one = true;
  EXPECT_EQ(NoiseSchedule(config).final_alpha_bar(), 1.0);
}

TEST(NoiseSchedule, ZeroSnrRescaleEndsAtZeroAndKeepsTheStart) {
  ScheduleConfig config = testing::sd_schedule();
  const double first = NoiseSchedule(config).alpha_bar(0);
  config.rescale_zero_snr = true;
  const NoiseSchedule rescaled(config);
  EXPECT_EQ(rescaled.alpha_bar(999), 0.0);
  EXPECT_NEAR(rescaled.alpha_bar(0), first, 1e-15);
}

TEST(NoiseSchedule, TrainedBetasMustFitTheirCountAndRange) {
  ScheduleConfig config{.train_steps = 3, .trained_betas = {0.1, 0.2, 0.5}};
  EXPECT_NEAR(NoiseSchedule(config).alpha_bar(2), 0.9 * 0.8 * 0.5, 1e-15);
  config.trained_betas.pop_back();
  EXPECT_THROW(NoiseSchedule{config}, Error);
  config.trained_betas = {0.1, 1.0, 0.5};
  EXPECT_THROW(NoiseSchedule{config}, Error);
}

}  // namespace
}  // namespace roundtrip::diffusion
