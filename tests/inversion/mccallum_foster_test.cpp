#include <gtest/gtest.h>

#include "support/flow_walks.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::FlowWalks;
using testing::method_of;
using testing::Mixture;
using testing::RoundTrip;

std::unique_ptr<Method> mccallum_foster(double zeta) { return method_of("mccallum_foster", {{"zeta", zeta}}); }

TEST(McCallumFoster, WalksAsRecorded) {
  FlowWalks flow;
  flow.setting.invert_w = flow.setting.w = 3;
  const RoundTrip trip = flow.edit(*mccallum_foster(0.95));
  EXPECT_LT(flow.distance(trip.inversion.pivots, "mccallum_foster"), 1e-12);
  EXPECT_LT(flow.distance({trip.inversion.state.at("second_latent")}, "mccallum_foster.second"), 1e-12);
  EXPECT_LT(flow.distance(trip.path, "mccallum_foster.edit"), 1e-12);
}

TEST(McCallumFoster, IsExactOnBothKindsOfModel) {
  Mixture mixture;
  FlowWalks flow;
  for (const double zeta : {0.999, 0.95, 1.0}) {
    const RoundTrip trip = mixture.round_trip(*mccallum_foster(zeta), {.steps = 50});
    EXPECT_LT(mixture.mse(trip), 1e-25) << "zeta = " << zeta;
    EXPECT_EQ(trip.invert_cost.rows, 2 * 50);
    EXPECT_EQ(trip.sample_cost.rows, 2 * 50);
    flow.setting.invert_w = flow.setting.w = 3;
    EXPECT_LT(flow.round_trip(*mccallum_foster(zeta)).error(flow.x0), 1e-12) << "zeta = " << zeta;
  }
  EXPECT_GT(flow.round_trip(*method_of("ddim", {})).error(flow.x0), 1e-3);
}

// 1/zeta^N magnifies rounding, and a weak coupling lets the two latents part.
TEST(McCallumFoster, Float32KeepsMoreAtASmallerZeta) {
  Mixture mixture;
  const auto mse = [&](double zeta) {
    return mixture.mse(mixture.round_trip(*mccallum_foster(zeta), {.steps = 50}, at::kFloat));
  };
  EXPECT_LT(mse(0.95), 0.2 * mse(0.999));
  EXPECT_LT(mse(0.999), 1e-7);
}

TEST(McCallumFoster, ASmallZetaIsUnstableAndSaysSo) {
  Mixture mixture;
  EXPECT_TRUE(mixture.round_trip(*mccallum_foster(0.999), {.steps = 50}).inversion.notes.empty());
  EXPECT_FALSE(mixture.round_trip(*mccallum_foster(0.8), {.steps = 50}).inversion.notes.empty());
}

TEST(McCallumFoster, InvertsAtTheScaleThatSamplingHas) {
  EXPECT_EQ(mccallum_foster(0.999)->default_invert_w(7.5), 7.5);
}

}  // namespace
}  // namespace roundtrip::inversion
