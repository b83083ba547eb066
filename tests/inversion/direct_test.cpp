#include <gtest/gtest.h>

#include "support/inversion_bench.h"

namespace roundtrip::inversion {
namespace {

using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> direct(double target_scale = 0) {
  return make_method("direct",
                     config::Params("method", {{"name", std::string("direct")}, {"target_scale", target_scale}}));
}

class DirectTest : public ::testing::Test {
 protected:
  DirectTest() {
    setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
  }
  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Setting setting{.steps = 10, .w = 7.5};
};

TEST_F(DirectTest, ReconstructsExactlyAndReportsWhatItCorrected) {
  const RoundTrip trip = round_trip(*direct(), denoiser, x0, setting);
  EXPECT_TRUE(at::equal(trip.path.back(), x0));
  EXPECT_TRUE(at::equal(at::stack(trip.path), at::stack(trip.inversion.pivots).flip(0)));
  const Tensor corrections = trip.inversion.state.at("corrections");
  ASSERT_EQ(corrections.size(0), 10);
  for (int i = 1; i <= 10; ++i) {
    ASSERT_EQ(trip.inversion.losses.at(i).size(), 1u);
    EXPECT_NEAR(trip.inversion.losses.at(i)[0], corrections[10 - i].square().mean().item<double>(), 1e-15);
  }
  EXPECT_EQ(trip.fit_cost.rows, 20);
  EXPECT_EQ(trip.sample_cost.rows, 0);
  EXPECT_FALSE(trip.inversion.notes.empty());
}

TEST_F(DirectTest, TheCorrectionsAreWhatTheWalkMisses) {
  // Under the source prompt itself, adding them to the target's walk is the reconstruction; without them it is DDIM.
  setting.target = setting.source;
  const RoundTrip corrected = round_trip(*direct(1), denoiser, x0, setting);
  EXPECT_LT((corrected.path.back() - x0).abs().max().item<double>(), 1e-12);
  const auto ddim = make_method("ddim", config::Params("method", {{"name", std::string("ddim")}}));
  const RoundTrip published = round_trip(*direct(), denoiser, x0, setting),
                  plain = round_trip(*ddim, denoiser, x0, setting);
  EXPECT_LT((published.path.back() - plain.path.back()).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace roundtrip::inversion
