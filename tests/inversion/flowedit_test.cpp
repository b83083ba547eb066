#include <gtest/gtest.h>

#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::FlowWalks;
using testing::method_of;
using testing::RoundTrip;

std::unique_ptr<Method> flowedit(int64_t n_max, int64_t n_min = 0, int64_t n_avg = 1, double source_w = 1.5) {
  return method_of("flowedit",
                   {{"n_max", n_max}, {"n_min", n_min}, {"n_avg", n_avg}, {"source_guidance_scale", source_w}});
}

class FlowEditTest : public ::testing::Test {
 protected:
  FlowEditTest() { flow.setting.w = 3; }
  FlowWalks flow;
};

TEST_F(FlowEditTest, WalksAsRecorded) {
  const RoundTrip plain = flow.edit(*flowedit(5)), switched = flow.edit(*flowedit(5, 2)),
                  averaged = flow.edit(*flowedit(6, 0, 2));
  EXPECT_LT(flow.distance(plain.path, "flowedit"), 1e-12);
  EXPECT_LT(flow.distance(switched.path, "flowedit.n_min"), 1e-12);
  EXPECT_LT(flow.distance(averaged.path, "flowedit.n_avg"), 1e-12);
}

TEST_F(FlowEditTest, AsksWhatItsSettingsSay) {
  const auto rows = [&](int64_t n_max, int64_t n_min, int64_t n_avg) {
    const RoundTrip trip = flow.edit(*flowedit(n_max, n_min, n_avg));
    EXPECT_EQ(trip.invert_cost.rows, 0);
    return trip.sample_cost.rows;
  };
  EXPECT_EQ(rows(5, 0, 1), 2 * 2 * 5);  // guided
  EXPECT_EQ(rows(5, 2, 1), 2 * (2 * 3 + 2));
  EXPECT_EQ(rows(6, 2, 3), 2 * (2 * 3 * 4 + 2));
  EXPECT_EQ(rows(100, 0, 1), 2 * 2 * 6) << "more steps than there are: all of them";
}

TEST_F(FlowEditTest, UnderEqualPromptsAndScalesItStaysAtTheImage) {
  const RoundTrip reconstruction = flow.round_trip(*flowedit(5, 0, 2));
  for (const Tensor& x : reconstruction.path) EXPECT_TRUE(at::equal(x, flow.x0));
  ASSERT_EQ(reconstruction.inversion.notes.size(), 1u);
  flow.setting.target = flow.setting.source;
  const auto edited = [&](double source_w) {
    return testing::round_trip(*flowedit(5, 0, 1, source_w), flow.denoiser, flow.x0, flow.setting);
  };
  EXPECT_EQ(edited(3).error(flow.x0), 0);
  EXPECT_GT(edited(1.5).error(flow.x0), 1e-3) << "an edit keeps to guidance_scale";
}

TEST_F(FlowEditTest, TheFirstOfSeveralDrawsIsTheOnlyOneOfOne) {
  flow.setting.noise = {};
  std::map<int64_t, Tensor> first;
  for (const int64_t n_avg : {1, 2}) {
    flow.setting.noise = [&, n_avg](NoisePurpose purpose, int i, const Tensor& like) {
      const Tensor noise = counter_noise(0, "sample")(purpose, i, like);
      if (i == 6) first[n_avg] = noise[0];
      return noise;
    };
    flow.edit(*flowedit(6, 0, n_avg));
  }
  EXPECT_TRUE(at::equal(first.at(1), first.at(2)));
}

}  // namespace
}  // namespace roundtrip::inversion
