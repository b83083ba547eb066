#include <gtest/gtest.h>

#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::FlowWalks;
using testing::method_of;
using testing::RoundTrip;

std::unique_ptr<Method> dnaedit(int64_t upto, double mvg = 0.8) {
  return method_of("dnaedit", {{"upto", upto}, {"mvg", mvg}});
}

TEST(DnaEdit, WalksAsRecorded) {
  FlowWalks flow;
  flow.setting.w = 3;
  const RoundTrip trip = flow.edit(*dnaedit(4));
  const Trajectory up(trip.inversion.pivots.begin(), trip.inversion.pivots.begin() + 5);
  EXPECT_LT(flow.distance(up, "dnaedit"), 1e-12);
  EXPECT_LT(flow.distance(trip.path, "dnaedit.edit"), 1e-12);
  EXPECT_EQ(trip.invert_cost.rows, 4);
  EXPECT_EQ(trip.sample_cost.rows, 2 * 4);  // guided; the source's velocities are those of the inversion
  for (int i = 5; i <= 6; ++i) EXPECT_TRUE(at::equal(trip.inversion.pivots[i], up.back())) << "i = " << i;
}

TEST(DnaEdit, FromTheNoiseThatTheImagesVelocityPointsAtItIsUniInv) {
  FlowWalks flow;
  const Tensor v = flow.denoiser.out({.x = flow.x0.unsqueeze(0),
                                      .t = at::zeros({1}, at::kDouble),
                                      .conditioning = {.tokens = flow.setting.source.tokens.unsqueeze(0)}})[0];
  flow.setting.noise = [&](NoisePurpose, int, const Tensor&) { return flow.x0 + v; };
  const Trajectory dna = flow.round_trip(*dnaedit(6)).inversion.pivots,
                   uni = flow.round_trip(*method_of("uni_inv", {{"zero_init", false}})).inversion.pivots;
  EXPECT_LT(testing::largest_difference(dna, uni), 1e-14);
}

// With the target's velocity alone, the source prompt leads back along the way up.
TEST(DnaEdit, WithoutTheReferenceItReconstructsExactlyAndWithItNearly) {
  FlowWalks flow;
  const RoundTrip plain = flow.round_trip(*dnaedit(6, 1)), led = flow.round_trip(*dnaedit(6, 0.8));
  EXPECT_LT(plain.error(flow.x0), 1e-13);
  EXPECT_GT(led.error(flow.x0), 1e-6);
}

TEST(DnaEdit, MoreStepsThanTheGridHasAreAllOfThem) {
  FlowWalks flow;
  const Trajectory all = flow.edit(*dnaedit(6)).path, more = flow.edit(*dnaedit(24)).path;
  EXPECT_EQ(testing::largest_difference(all, more), 0);
}

}  // namespace
}  // namespace roundtrip::inversion
