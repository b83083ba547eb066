#include <gtest/gtest.h>

#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> nmg(double grad_scale, double weight) {
  return testing::method_of("nmg", {{"grad_scale", grad_scale}, {"noise_map_guidance", weight}});
}

// The image in one step to the middle of the schedule.
diffusion::StepGrid one_step() {
  const diffusion::StepGrid grid = Setting{.steps = 10}.step_grid();
  return {{grid[0], grid[5]}, diffusion::Out::kEps};
}

class NmgTest : public ::testing::Test {
 protected:
  NmgTest() {
    setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
  }
  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Setting setting{.steps = 6, .w = 3};
};

// Each timestep is walked twice: without a gradient, under the null prompt and then under guidance.
TEST_F(NmgTest, WithoutAGradientItWalksEachTimestepTwice) {
  setting.grid = one_step();
  const RoundTrip trip = round_trip(*nmg(0, 10), denoiser, x0, setting);
  const diffusion::StepGrid grid = setting.step_grid();
  const Tensor x_1 = trip.inversion.pivots[1], t = at::full({1}, grid[1].t, at::kDouble);
  const auto eps = [&](const Tensor& x, const Conditioning& c) {
    return denoiser.out({x.unsqueeze(0), t, {.tokens = c.tokens.unsqueeze(0)}})[0];
  };
  const Tensor x = grid.step(x_1, eps(x_1, setting.null), 1, 0);
  const Tensor guided = 3 * eps(x, setting.source) - 2 * eps(x, setting.null);
  EXPECT_LT((trip.path.back() - grid.step(x, guided, 1, 0)).abs().max().item<double>(), 1e-12);
}

// The gradient by finite differences of the distance from the pivot.
TEST_F(NmgTest, TheGradientIsThatOfTheDistanceFromThePivot) {
  setting.grid = one_step();
  setting.w = 1;
  const double strength = 0.4 * 2;
  const RoundTrip plain = round_trip(*nmg(0, 0), denoiser, x0, setting);
  const RoundTrip steered = round_trip(*nmg(0.4, 2), denoiser, x0, setting);
  const diffusion::StepGrid grid = setting.step_grid();
  const Tensor t = at::full({1}, grid[1].t, at::kDouble), x_1 = plain.inversion.pivots[1];
  const auto eps = [&](const Tensor& x, const Conditioning& c) {
    return denoiser.out({x.unsqueeze(0), t, {.tokens = c.tokens.unsqueeze(0)}})[0];
  };
  const auto distance = [&](const Tensor& x) {
    return (grid.step(x, eps(x, setting.null), 1, 0) - x0).abs().mean().item<double>();
  };
  Tensor d = at::zeros_like(x_1);
  for (int64_t k = 0; k < 12; ++k) {
    const Tensor along = at::zeros({12}, at::kDouble);
    along[k] = 1e-6;
    d.view({12})[k] = (distance(x_1 + along.view_as(x_1)) - distance(x_1 - along.view_as(x_1))) / 2e-6;
  }
  const Tensor led = grid.step(x_1, eps(x_1, setting.null) + strength * grid[1].s * d, 1, 0);
  const Tensor expected = grid.step(led, eps(led, setting.source), 1, 0);
  EXPECT_GT((steered.path.back() - plain.path.back()).abs().max().item<double>(), 1e-3);
  EXPECT_LT((steered.path.back() - expected).abs().max().item<double>(), 1e-7);
}

TEST_F(NmgTest, OnlyTheSourceIsSteered) {
  setting.target = Conditioning{.tokens = at::full({2, 3}, 0.11, at::kDouble)};
  const RoundTrip edit = round_trip(*nmg(5, 10), denoiser, x0, setting);
  const RoundTrip plain = round_trip(*testing::method_of("ddim", {}), denoiser, x0, setting);
  EXPECT_TRUE(at::equal(at::stack(edit.path), at::stack(plain.path)));
  EXPECT_EQ(edit.sample_cost.grad_rows, 0);
}

TEST_F(NmgTest, AReconstructionCostsOneRowBothWaysAndTwoMore) {
  const RoundTrip trip = round_trip(*nmg(5, 10), denoiser, x0, setting);
  EXPECT_EQ(trip.sample_cost.rows, 6 * 3);
  EXPECT_EQ(trip.sample_cost.grad_rows, 6);
}

// What an editor copies from the source is seen where the guided step is asked, after the steering.
TEST_F(NmgTest, AWatchedWalkIsAskedWhereTheSteeringHasLed) {
  engine::Engine engine(denoiser, {});
  engine::Cost cost;
  const Problem run(testing::parts_of(setting, engine, cost));
  const auto method = nmg(0.4, 2);
  const Inversion inversion = testing::run_alone(engine, method->invert(run, x0));
  const Guidance guidance{run.source};
  const auto sampler = method->sampler(run, inversion, guidance);
  const SourceWalk walked = testing::run_alone(engine, walk_watched(*sampler, nullptr));
  ASSERT_EQ(walked.asked.size(), 6u);
  for (size_t k = 0; k < 6; ++k) {
    EXPECT_GT((walked.asked[k] - walked.path[k]).abs().max().item<double>(), 1e-6) << k;
    const Tensor led = testing::run_alone(engine, sampler->lead_in(walked.path[k], 6 - static_cast<int>(k)));
    EXPECT_TRUE(at::equal(led, walked.asked[k])) << k;
  }
}

}  // namespace
}  // namespace roundtrip::inversion
