#include <gtest/gtest.h>

#include "support/flow_walks.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::FlowWalks;
using testing::method_of;
using testing::RoundTrip;

std::unique_ptr<Method> uni_inv(bool zero_init = false) { return method_of("uni_inv", {{"zero_init", zero_init}}); }

std::unique_ptr<Method> fixed_point(int64_t iterations) {
  return method_of("fixed_point", {{"iterations", iterations},
                                   {"tolerance", 0.0},
                                   {"acceleration", std::string("none")},
                                   {"window", int64_t{3}},
                                   {"tikhonov", 1e-10}});
}

TEST(UniInv, WalksAsRecordedWithAndWithoutItsFirstEvaluation) {
  FlowWalks flow;
  flow.setting.invert_w = 3;
  const RoundTrip asked = flow.round_trip(*uni_inv()), zero = flow.round_trip(*uni_inv(true));
  EXPECT_LT(flow.distance(asked.inversion.pivots, "uni_inv"), 1e-12);
  EXPECT_LT(flow.distance(zero.inversion.pivots, "uni_inv.zero_init"), 1e-12);
  EXPECT_GT(flow.distance(zero.inversion.pivots, "uni_inv"), 1e-3) << "the two are told apart";
  EXPECT_EQ(asked.invert_cost.rows, 2 * 7);  // guided: two rows a step
  EXPECT_EQ(zero.invert_cost.rows, 2 * 6);
}

// By hand: one step of eps = c x from timestep 0 to 801.
TEST(UniInv, OneStepOnADiffusionModelIsAFixedPointIterationFromTheCleanEndsPrediction) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::full({1, 1, 1}, 0.7, at::kDouble);
  const diffusion::StepGrid grid = testing::Setting{.steps = 1}.step_grid();
  const auto slope = [&](int i) {  // eps(x) / x
    const double abar = testing::alpha_bar(grid, i);
    return std::sqrt(1 - abar) / (0.25 * abar + 1 - abar);
  };
  const double shrink = grid[1].c / grid[0].c, gain = grid.out_coefficient(0, 1), x = 0.7;
  const double predicted = shrink * x + gain * slope(0) * x;
  const double expected = shrink * x + gain * slope(1) * predicted;
  const RoundTrip trip = testing::round_trip(*uni_inv(), denoiser, x0, {.steps = 1});
  EXPECT_NEAR(trip.inversion.pivots[1].item<double>(), expected, 1e-14);
}

// The published claim, on diffusion models too: most of what a fixed-point iteration gains, at the price of one
// evaluation in all.
TEST(UniInv, OnADiffusionModelItGainsMostOfWhatAFixedPointIterationDoes) {
  testing::Mixture mixture;
  for (const int steps : {28, 50}) {
    const double ddim = mixture.mse(mixture.round_trip(*method_of("ddim", {}), {.steps = steps}));
    const double once = mixture.mse(mixture.round_trip(*fixed_point(1), {.steps = steps}));
    const RoundTrip trip = mixture.round_trip(*uni_inv(), {.steps = steps});
    EXPECT_LT(mixture.mse(trip), 0.15 * ddim) << steps << " steps";
    EXPECT_LT(mixture.mse(trip), 4 * once) << steps << " steps";
    EXPECT_EQ(trip.invert_cost.rows, steps + 1);
    EXPECT_EQ(trip.sample_cost.rows, steps);
  }
}

}  // namespace
}  // namespace roundtrip::inversion
