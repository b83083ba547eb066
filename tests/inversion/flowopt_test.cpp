#include <gtest/gtest.h>

#include "support/flow_walks.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::FlowWalks;
using testing::method_of;
using testing::RoundTrip;

std::unique_ptr<Method> flowopt(int64_t iterations, double learning_rate) {
  return method_of("flowopt", {{"iterations", iterations}, {"learning_rate", learning_rate}});
}

TEST(FlowOpt, ItsNoiseAndLossesAreAsRecorded) {
  FlowWalks flow;
  Trajectory iterates;
  for (int64_t k = 0; k <= 3; ++k) {
    const RoundTrip trip = flow.round_trip(*flowopt(k, 0.3));
    iterates.push_back(trip.inversion.pivots.back());
    EXPECT_EQ(trip.invert_cost.rows, 6 + 1 + k * 6);
    EXPECT_EQ(trip.sample_cost.rows, 6);
  }
  EXPECT_LT(flow.distance(iterates, "flowopt"), 1e-12);
  const std::vector<double> losses = flow.round_trip(*flowopt(3, 0.3)).inversion.losses.at(6);
  const nlohmann::json recorded = read_json(ROUNDTRIP_SOURCE_DIR "/tests/golden/flow/walks.json");
  ASSERT_EQ(losses.size(), 3u);
  for (size_t k = 0; k < 3; ++k) EXPECT_NEAR(losses[k] / recorded["walks"]["flowopt.losses"][k].get<double>(), 1, 1e-9);
}

TEST(FlowOpt, WithoutIterationsItIsUniInv) {
  FlowWalks flow;
  const RoundTrip none = flow.round_trip(*flowopt(0, 0.3)),
                  uni = flow.round_trip(*method_of("uni_inv", {{"zero_init", false}}));
  EXPECT_EQ(testing::largest_difference(none.inversion.pivots, uni.inversion.pivots), 0);
}

TEST(FlowOpt, ConvergesToTheInverseOfTheSamplerOnBothKindsOfModel) {
  FlowWalks flow;
  EXPECT_LT(flow.round_trip(*flowopt(200, 0.3)).error(flow.x0), 1e-9);
  testing::Mixture mixture;
  const double before = mixture.mse(mixture.round_trip(*flowopt(0, 0.3), {.steps = 10})),
               after = mixture.mse(mixture.round_trip(*flowopt(30, 0.3), {.steps = 10}));
  EXPECT_LT(after, 0.1 * before);
}

TEST(FlowOpt, InvertsAtTheScaleThatSamplingHas) { EXPECT_EQ(flowopt(1, 0.1)->default_invert_w(3.5), 3.5); }

}  // namespace
}  // namespace roundtrip::inversion
