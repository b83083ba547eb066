#include <gtest/gtest.h>

#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::FlowWalks;
using testing::method_of;
using testing::RoundTrip;

struct Options {
  double gamma = 0.5;
  std::string times = "grid";
  double eta = 0, start_at = 0, stop_at = 1, decay_power = 0;
};

std::unique_ptr<Method> rf_inversion(const Options& options) {
  return method_of("rf_inversion", {{"gamma", options.gamma},
                                    {"times", options.times},
                                    {"eta", options.eta},
                                    {"start_at", options.start_at},
                                    {"stop_at", options.stop_at},
                                    {"decay_power", options.decay_power}});
}

class RfInversionTest : public ::testing::Test {
 protected:
  RfInversionTest() { flow.setting.invert_w = 0; }
  FlowWalks flow;
};

TEST_F(RfInversionTest, WalksUpAsRecordedByThePaperAndByTheReleasedCode) {
  const RoundTrip paper = flow.round_trip(*rf_inversion({})),
                  released = flow.round_trip(*rf_inversion({.times = "released"}));
  EXPECT_LT(flow.distance(paper.inversion.pivots, "rf_inversion"), 1e-12);
  EXPECT_LT(flow.distance(released.inversion.pivots, "rf_inversion.released"), 1e-12);
  EXPECT_GT(flow.distance(released.inversion.pivots, "rf_inversion"), 1e-2) << "the two are told apart";
  EXPECT_EQ(paper.invert_cost.rows, 6);  // at w = 0 the null prompt alone
  EXPECT_EQ(paper.sample_cost.rows, 6);
}

TEST_F(RfInversionTest, SamplesAsRecordedInItsWindowAndWithDecay) {
  const RoundTrip decaying =
      flow.round_trip(*rf_inversion({.eta = 0.9, .start_at = 0.2, .stop_at = 1, .decay_power = 1.5}));
  EXPECT_LT(flow.distance(decaying.path, "rf_inversion.decay"), 1e-12);
  flow.setting.w = 3;
  const RoundTrip edit = flow.edit(*rf_inversion({.eta = 0.9, .stop_at = 0.35}));
  EXPECT_LT(flow.distance(edit.path, "rf_inversion.edit"), 1e-12);
}

TEST_F(RfInversionTest, WithoutGammaItIsDdimsInversionAtTheTimeSteppedFrom) {
  flow.setting.invert_w = 1;
  const RoundTrip free = flow.round_trip(*rf_inversion({.gamma = 0}));
  flow.setting.eps_at = EpsAt::kFrom;
  const RoundTrip ddim = flow.round_trip(*method_of("ddim", {}));
  EXPECT_LT(testing::largest_difference(free.inversion.pivots, ddim.inversion.pivots), 1e-14);
  EXPECT_LT(testing::largest_difference(free.path, ddim.path), 1e-14);
  flow.setting.invert_w = 0;
  EXPECT_GT(
      testing::largest_difference(flow.round_trip(*rf_inversion({.gamma = 0})).inversion.pivots, ddim.inversion.pivots),
      1e-2)
      << "w = 0 asks under the null prompt";
}

TEST_F(RfInversionTest, WithGammaOneItEndsAtTheDrawnNoise) {
  const Tensor y_1 = flow.setting.noise(NoisePurpose::kForward, 6, flow.x0);
  const RoundTrip trip = flow.round_trip(*rf_inversion({.gamma = 1}));
  EXPECT_LT((trip.inversion.pivots.back() - y_1).abs().max().item<double>(), 1e-14);
}

TEST_F(RfInversionTest, WithEtaOneThroughoutItEndsAtTheImageAndSaysThatThisIsNoTest) {
  flow.setting.w = 3;
  const RoundTrip pulled = flow.edit(*rf_inversion({.gamma = 1, .eta = 1}));
  EXPECT_LT(pulled.error(flow.x0), 1e-14);
  ASSERT_EQ(pulled.inversion.notes.size(), 1u);
  EXPECT_NE(pulled.inversion.notes[0].find("does not test the inversion"), std::string::npos);
  EXPECT_TRUE(flow.round_trip(*rf_inversion({.eta = 0.9, .stop_at = 0.1})).inversion.notes.empty())
      << "a window without a step pulls nowhere";
}

TEST_F(RfInversionTest, DrawsNoNoiseWithoutGamma) {
  int draws = 0;
  flow.setting.noise = [&](NoisePurpose, int, const Tensor& like) {
    ++draws;
    return at::zeros_like(like);
  };
  flow.round_trip(*rf_inversion({.gamma = 0}));
  EXPECT_EQ(draws, 0);
  flow.round_trip(*rf_inversion({}));
  EXPECT_EQ(draws, 1);
}

}  // namespace
}  // namespace roundtrip::inversion
