// The step between two levels: one line for every family.
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "base/error.h"
#include "support/closed_form.h"

namespace roundtrip::diffusion {
namespace {

Level vp(double alpha_bar) {
  const double a = std::sqrt(alpha_bar), s = std::sqrt(1 - alpha_bar);
  return {.a = a, .s = s, .c = a, .p = s / a, .t = 0};
}
Level flow(double sigma) { return {.a = 1 - sigma, .s = sigma, .c = 1, .p = sigma, .t = 1000 * sigma}; }

StepGrid vp_grid(double alpha_bar_0, double alpha_bar_1) { return {{vp(alpha_bar_0), vp(alpha_bar_1)}, Out::kEps}; }

TEST(Step, ThereAndBackWithTheSameOutIsTheIdentity) {
  const Tensor x = at::linspace(-2, 2, 9, at::kDouble), out = at::linspace(1, -1, 9, at::kDouble);
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0.001, 0.999);
  for (int k = 0; k < 50; ++k) {
    const double low = uniform(random), high = uniform(random);
    for (const StepGrid& grid : {vp_grid(low, high), StepGrid({flow(low), flow(high)}, Out::kVelocity)}) {
      const Tensor there = grid.step(x, out, 0, 1);
      EXPECT_LT((grid.step(there, out, 1, 0) - x).abs().max().item<double>(), 1e-12) << low << " " << high;
    }
  }
}

TEST(Step, MovesACleanImageToItsNoisyForm) {
  const Tensor x0 = at::full({3}, 0.5, at::kDouble), eps = at::full({3}, -1.0, at::kDouble);
  EXPECT_NEAR(vp_grid(1.0, 0.36).step(x0, eps, 0, 1)[0].item<double>(), 0.6 * 0.5 - 0.8, 1e-15);
  const Tensor v = eps - x0;  // of the flow
  const StepGrid grid({flow(0), flow(1)}, Out::kVelocity);
  EXPECT_NEAR(grid.step(x0, v, 0, 1)[0].item<double>(), -1.0, 1e-15);  // at sigma = 1 the noise alone is left
  EXPECT_NEAR(grid.step(eps, v, 1, 0)[0].item<double>(), 0.5, 1e-15);
}

TEST(Step, EveryPairOfAnActualGridUndoesItself) {
  for (const Spacing spacing : {Spacing::kLeading, Spacing::kTrailing, Spacing::kLinspace}) {
    for (const int steps : {1, 7, 50}) {
      ScheduleConfig config = testing::sd_schedule();
      config.spacing = spacing;
      const StepGrid grid = ddim_grid(NoiseSchedule(config), steps);
      const Tensor x = at::ones({1}, at::kDouble), eps = at::full({1}, 0.3, at::kDouble);
      for (int i = 0; i < steps; ++i) {
        const Tensor there = grid.step(x, eps, i, i + 1);
        EXPECT_NEAR(grid.step(there, eps, i + 1, i).item<double>(), 1, 1e-12);
      }
    }
  }
}

TEST(Step, BetweenGridPointsAFlowsTimeIsProportionalToItsPosition) {
  const StepGrid line({flow(0), flow(0.3), flow(0.8)}, Out::kVelocity);
  EXPECT_NEAR(line.time_at(0.55), 550, 1e-12);
  EXPECT_EQ(line.time_at(0.8), line[2].t);
  EXPECT_THROW(vp_grid(0.9, 0.5).time_at(0.1), Error);
}

TEST(Step, TheVarianceOfAStochasticStepIsPreserved) {
  // For x0 = 0: Var(x_to) = (eps coefficient)^2 + sigma^2 has to be 1 - abar_to whatever eta is.
  const double from = 0.2, to = 0.6;
  const StepGrid grid = vp_grid(to, from);
  for (const double eta : {0.0, 0.5, 1.0}) {
    const double sigma = grid.sigma(eta, 1, 0);
    const Tensor eps = at::ones({1}, at::kDouble), x = eps * std::sqrt(1 - from);
    const double mean = grid.step(x, eps, 1, 0, sigma).item<double>();
    EXPECT_NEAR(mean * mean + sigma * sigma, 1 - to, 1e-12) << "eta = " << eta;
  }
}

TEST(Step, WithoutAChangeOfLevelThereIsNoNoise) { EXPECT_EQ(vp_grid(0.99, 0.99).sigma(1.0, 1, 0), 0.0); }

TEST(Step, ForwardStepsComposeToTheMarginal) {
  const Tensor x = at::ones({1}, at::kDouble), none = at::zeros({1}, at::kDouble);
  const StepGrid grid({vp(1.0), vp(0.5), vp(0.2)}, Out::kEps);
  EXPECT_NEAR(grid.noised(grid.noised(x, none, 0, 1), none, 1, 2).item<double>(), std::sqrt(0.2), 1e-15);
  const StepGrid line({flow(0), flow(0.3), flow(0.8)}, Out::kVelocity);
  const Tensor n = at::ones({1}, at::kDouble);
  EXPECT_NEAR(line.noised(x * 0, n, 0, 2).item<double>(), 0.8, 1e-15);
  const double once = line.noised(x * 0, n, 0, 1).item<double>();  // variances add up along the chain
  const double kept = line.noised(at::full({1}, once, at::kDouble), none, 1, 2).item<double>();
  const double fresh = line.noised(x * 0, n, 1, 2).item<double>();
  EXPECT_NEAR(kept * kept + fresh * fresh, 0.8 * 0.8, 1e-12);
}

}  // namespace
}  // namespace roundtrip::diffusion
