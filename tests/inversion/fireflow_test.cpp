#include <gtest/gtest.h>

#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::FlowWalks;
using testing::method_of;
using testing::RoundTrip;

TEST(FireFlow, WalksAsRecordedAndStartsAnewOnTheWayBack) {
  FlowWalks flow;
  flow.setting.w = 3;
  const RoundTrip trip = flow.edit(*method_of("fireflow", {}));
  EXPECT_LT(flow.distance(trip.inversion.pivots, "fireflow"), 1e-12);
  EXPECT_LT(flow.distance(trip.path, "fireflow.edit"), 1e-12);
  EXPECT_EQ(trip.invert_cost.rows, 6 + 1);
  EXPECT_EQ(trip.sample_cost.rows, 2 * (6 + 1));  // guided
}

TEST(FireFlow, ItsFirstStepIsTheMidpointRulesAndTheOthersAreNot) {
  FlowWalks flow;
  const Trajectory fast = flow.round_trip(*method_of("fireflow", {})).inversion.pivots,
                   full = flow.round_trip(*method_of("midpoint", {})).inversion.pivots;
  EXPECT_TRUE(at::equal(fast[1], full[1]));
  EXPECT_GT((fast[2] - full[2]).abs().max().item<double>(), 1e-4);
}

// Second order: halving the step takes a quarter off the error of the inverted noise.
TEST(FireFlow, IsOfSecondOrder) {
  FlowWalks flow;
  const auto noise = [&](const char* method, int steps) {
    flow.setting.grid = testing::flow_grid(steps);
    return flow.round_trip(*method_of(method, {})).inversion.pivots.back();
  };
  const Tensor exact = noise("midpoint", 2000);
  const auto error = [&](const char* method, int steps) {
    return (noise(method, steps) - exact).square().mean().sqrt().item<double>();
  };
  EXPECT_NEAR(error("fireflow", 40) / error("fireflow", 80), 4, 0.5);
  EXPECT_NEAR(error("ddim", 40) / error("ddim", 80), 2, 0.5);
}

}  // namespace
}  // namespace roundtrip::inversion
