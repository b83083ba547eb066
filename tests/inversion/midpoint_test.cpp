#include <gtest/gtest.h>

#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::FlowWalks;
using testing::method_of;
using testing::RoundTrip;

TEST(Midpoint, WalksAsRecordedBothWays) {
  FlowWalks flow;
  flow.setting.w = 3;
  const RoundTrip trip = flow.edit(*method_of("midpoint", {}));
  EXPECT_LT(flow.distance(trip.inversion.pivots, "midpoint"), 1e-12);
  EXPECT_LT(flow.distance(trip.path, "midpoint.edit"), 1e-12);
  EXPECT_EQ(trip.invert_cost.rows, 2 * 6);
  EXPECT_EQ(trip.sample_cost.rows, 2 * 2 * 6);  // guided
}

// RF-Solver as its paper writes it: x + h v + h^2/2 v', v' the difference of the velocities over half a step.
TEST(Midpoint, IsRfSolversTaylorStep) {
  FlowWalks flow;
  const auto v = [&](const Tensor& x, double sigma) {
    return flow.denoiser.out({.x = x.unsqueeze(0),
                              .t = at::full({1}, 1000 * sigma, at::kDouble),
                              .conditioning = {.tokens = flow.setting.source.tokens.unsqueeze(0)}})[0];
  };
  const diffusion::StepGrid grid = *flow.setting.grid;
  Trajectory expected{flow.x0};
  for (int i = 0; i < 6; ++i) {
    const Tensor x = expected.back();
    const double a = grid[i].p, h = grid[i + 1].p - a;
    const Tensor first = v(x, a), derivative = (v(x + h / 2 * first, a + h / 2) - first) / (h / 2);
    expected.push_back(x + h * first + h * h / 2 * derivative);
  }
  const RoundTrip trip = flow.round_trip(*method_of("midpoint", {}));
  EXPECT_LT(testing::largest_difference(trip.inversion.pivots, expected), 1e-13);
}

}  // namespace
}  // namespace roundtrip::inversion
