#include <gtest/gtest.h>

#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::method_of;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> h_edit(double source_w = 5, const std::string& form = "explicit", int64_t steps = 1) {
  return method_of("h_edit", {{"source_guidance_scale", source_w},
                              {"form", form},
                              {"optimization_steps", steps},
                              {"weight_reconstruction", 0.1}});
}

class HEditTest : public ::testing::Test {
 protected:
  HEditTest() {
    setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
    setting.target = Conditioning{.tokens = at::full({2, 3}, 0.4, at::kDouble)};
  }
  RoundTrip edit(const Method& method) { return testing::round_trip(method, denoiser, x0, setting); }
  RoundTrip reconstruction(const Method& method) {
    Setting same = setting;
    same.target.reset();
    return testing::round_trip(method, denoiser, x0, same);
  }
  double distance_from_the_image(const RoundTrip& trip) { return (trip.path.back() - x0).abs().max().item<double>(); }

  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Setting setting{.steps = 25, .w = 7.5};
};

TEST_F(HEditTest, WithEveryMapTheReconstructionIsExact) {
  for (const double w_o : {1.0, 3.5}) {
    setting.invert_w = w_o;
    const RoundTrip trip = reconstruction(*h_edit());
    EXPECT_LT(distance_from_the_image(trip), 1e-11);
    EXPECT_EQ(trip.inversion.state.at("noise_maps").size(0), 25);
    EXPECT_LT(testing::largest_difference({trip.path[10]}, {trip.inversion.pivots[15]}), 1e-11);
  }
}

// mu is linear in eps with the factor C: mu(base) + C (target - base) is mu(target).
TEST_F(HEditTest, AwayFromTheInversionsOwnScaleItIsEditFriendly) {
  const auto edit_friendly = method_of("edit_friendly", {{"skip", 0.0}, {"last_map", std::string("kept")}});
  for (const double w_o : {1.0, 3.5}) {
    setting.invert_w = w_o;
    const RoundTrip same = edit(*h_edit(w_o)), other = edit(*h_edit(w_o + 2));
    engine::Engine engine(denoiser, {});
    engine::Cost cost;
    const Problem sampling(testing::parts_of(setting, engine, cost));
    const Guidance guidance{*setting.target, true};
    const Trajectory replayed = testing::run_alone(engine, edit_friendly->sample(sampling, same.inversion, guidance));
    EXPECT_LT(testing::largest_difference(same.path, replayed), 1e-11) << w_o;
    EXPECT_GT(testing::largest_difference(other.path, replayed), 1e-3) << w_o;
  }
}

TEST_F(HEditTest, WithoutADifferenceOfPromptsItReplaysTheImage) {
  setting.target = setting.source;
  EXPECT_LT(distance_from_the_image(edit(*h_edit(7.5))), 1e-11);
  EXPECT_LT(distance_from_the_image(edit(*h_edit(7.5, "implicit"))), 1e-11);
  EXPECT_LT(distance_from_the_image(edit(*h_edit(7.5, "implicit", 3))), 1e-11);
  EXPECT_GT(distance_from_the_image(edit(*h_edit(5))), 1e-3) << "the scales differ";
}

TEST_F(HEditTest, EveryRowIsAskedOnce) {
  EXPECT_EQ(edit(*h_edit()).invert_cost.rows, 25);
  EXPECT_EQ(edit(*h_edit()).sample_cost.rows, 25 * 3);  // target, source and null
  EXPECT_EQ(edit(*h_edit(5, "implicit")).sample_cost.rows, 25 * (1 + 3));
  EXPECT_EQ(edit(*h_edit(5, "implicit", 3)).sample_cost.rows, 25 * (1 + 3 * 3));
  EXPECT_EQ(reconstruction(*h_edit()).sample_cost.rows, 25);
  setting.w = 1;
  EXPECT_EQ(edit(*h_edit(1)).sample_cost.rows, 25 * 2) << "no scale needs the null prompt";
  setting.source = setting.null;
  EXPECT_EQ(edit(*h_edit()).sample_cost.rows, 25 * 2) << "the source prompt is the null prompt";
}

// One step of a denoiser whose eps is the prompt's number: b is the image, and its sign of the distance is known.
TEST_F(HEditTest, FurtherImplicitStepsArePulledToTheImage) {
  testing::XIndependentDenoiser constant;
  setting.steps = 1;
  const diffusion::StepGrid grid = setting.step_grid();
  const double C = grid.out_coefficient(1, 0, grid.sigma(1, 1, 0)),
               d = 7.5 * 0.4 - 6.5 * -0.04 - (5 * 0.05 - 4 * -0.04);
  // y = x_0 + C d, so the pull is 0.1 |d| against the sign of C d, and the second step adds C d again.
  const double expected = 2 * C * d - 0.1 * std::abs(d) * (C * d > 0 ? 1 : -1);
  const RoundTrip trip = testing::round_trip(*h_edit(5, "implicit", 2), constant, x0, setting);
  EXPECT_LT((trip.path.back() - x0 - expected).abs().max().item<double>(), 1e-6);  // of the 1e-8 in the norm
}

TEST_F(HEditTest, HasNoSamplerThatEditorsCouldDrive) {
  engine::Engine engine(denoiser, {});
  engine::Cost cost;
  const Problem run(testing::parts_of(setting, engine, cost));
  const Inversion inversion = testing::run_alone(engine, h_edit()->invert(run, x0));
  EXPECT_EQ(h_edit()->sampler(run, inversion, Guidance{*setting.target, true}), nullptr);
}

}  // namespace
}  // namespace roundtrip::inversion
