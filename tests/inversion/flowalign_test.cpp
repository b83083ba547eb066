#include <gtest/gtest.h>

#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::FlowWalks;
using testing::method_of;
using testing::RoundTrip;

std::unique_ptr<Method> flowalign(double zeta = 0.01, int64_t n_max = 0) {
  return method_of("flowalign", {{"zeta", zeta}, {"n_max", n_max}});
}

class FlowAlignTest : public ::testing::Test {
 protected:
  FlowAlignTest() { flow.setting.w = 3; }
  FlowWalks flow;
};

TEST_F(FlowAlignTest, WalksAllStepsAsRecordedFromTheReleasedCode) {
  const RoundTrip trip = flow.edit(*flowalign());
  EXPECT_LT(flow.distance(trip.path, "flowalign"), 1e-12);
  EXPECT_EQ(trip.invert_cost.rows, 0);
  EXPECT_EQ(trip.sample_cost.rows, 3 * 6);
}

TEST_F(FlowAlignTest, AsInThePaperItStartsLater) {
  const RoundTrip late = flow.edit(*flowalign(0.01, 4));
  EXPECT_GT(flow.distance(late.path, "flowalign"), 1e-3) << "the two are told apart";
  EXPECT_TRUE(at::equal(late.path[2], flow.x0));
  EXPECT_FALSE(at::equal(late.path[3], flow.x0));
  EXPECT_EQ(late.sample_cost.rows, 3 * 4);
}

TEST_F(FlowAlignTest, UnderEqualPromptsItStaysAtTheImageWhateverW) {
  for (const Tensor& x : flow.round_trip(*flowalign()).path) EXPECT_TRUE(at::equal(x, flow.x0));
  flow.setting.w = 13.5;
  EXPECT_EQ(flow.round_trip(*flowalign()).error(flow.x0), 0);
}

TEST_F(FlowAlignTest, ZetaHoldsTheEditToTheImage) {
  const double free = flow.edit(*flowalign(0)).error(flow.x0), held = flow.edit(*flowalign(0.1)).error(flow.x0);
  EXPECT_LT(held, 0.95 * free);
}

}  // namespace
}  // namespace roundtrip::inversion
