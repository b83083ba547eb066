#include <gtest/gtest.h>

#include "inversion/rehearsal.h"
#include "support/flow_walks.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::Mixture;
using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;

struct Options {
  double lambda = 10;
  int64_t iterations = 5;
  double learning_rate = 0.1, threshold = 0;
};

std::unique_ptr<Method> enm(const Options& options) {
  return testing::method_of("enm", {{"lambda", options.lambda},
                                    {"iterations", options.iterations},
                                    {"learning_rate", options.learning_rate},
                                    {"threshold", options.threshold}});
}

Conditioning prompt(double value) { return {.tokens = at::full({2, 3}, value, at::kDouble)}; }

// The image in one step to the middle of the schedule.
diffusion::StepGrid one_step() {
  const diffusion::StepGrid grid = Setting{.steps = 10}.step_grid();
  return {{grid[0], grid[5]}, diffusion::Out::kEps};
}

class EnmTest : public ::testing::Test {
 protected:
  EnmTest() {
    setting.source = prompt(0.05);
    setting.null = prompt(-0.04);
  }
  RoundTrip trip(const Options& options) { return round_trip(*enm(options), denoiser, x0, setting); }

  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Setting setting{.steps = 6};
};

TEST_F(EnmTest, WithoutIterationsItIsDdim) {
  setting.target = prompt(0.6);
  const RoundTrip plain = round_trip(*testing::method_of("ddim", {}), denoiser, x0, setting);
  EXPECT_TRUE(at::equal(at::stack(trip({.iterations = 0}).inversion.pivots), at::stack(plain.inversion.pivots)));
}

// One refinement against the gradient of the loss by finite differences, at one row a prompt and at two.
TEST_F(EnmTest, ARefinementFollowsTheGradientOfTheLoss) {
  setting.grid = one_step();
  setting.target = prompt(0.6);
  for (const double w : {1.0, 2.5}) {
    setting.invert_w = w;
    const diffusion::StepGrid grid = setting.step_grid();
    const Tensor t = at::full({1}, grid[1].t, at::kDouble);
    const auto f = [&](const Tensor& z, const Conditioning& c) {
      const auto eps = [&](const Conditioning& one) {
        return denoiser.out({z.unsqueeze(0), t, {.tokens = one.tokens.unsqueeze(0)}})[0];
      };
      return grid.step(z, w * eps(c) + (1 - w) * eps(setting.null), 1, 0);
    };
    const auto loss = [&](const Tensor& z) {
      const Tensor f_source = f(z, setting.source);
      return ((x0 - f_source).square().sum() + 10 * (f_source - f(z, *setting.target)).square().sum()).item<double>();
    };
    const Tensor z = trip({.iterations = 0}).inversion.pivots[1];
    Tensor d = at::zeros({12}, at::kDouble);
    for (int64_t k = 0; k < 12; ++k) {
      const Tensor along = at::zeros({12}, at::kDouble);
      along[k] = 1e-6;
      d[k] = (loss(z + along.view_as(z)) - loss(z - along.view_as(z))) / 2e-6;
    }
    const RoundTrip refined = trip({.iterations = 1, .learning_rate = 0.02});
    EXPECT_GT(d.abs().max().item<double>(), 1e-2);
    EXPECT_LT((refined.inversion.pivots[1] - (z - 0.02 * d.view_as(z))).abs().max().item<double>(), 1e-7) << w;
    EXPECT_NEAR(refined.inversion.losses.at(1).at(0) * 12, loss(z), 1e-9) << w;
    EXPECT_EQ(refined.invert_cost.grad_rows, w == 1 ? 2 : 4);
  }
}

TEST_F(EnmTest, BothPromptsThenLeadMoreAlike) {
  setting.target = prompt(0.6);
  const auto gap = [&](const RoundTrip& trip) {
    const Setting source = setting;
    Setting target = setting;
    target.source = prompt(0.6);
    const auto ddim = testing::method_of("ddim", {});
    const Tensor& x_S = trip.inversion.pivots.back();
    return mean_square(testing::sampled(*ddim, denoiser, x_S, source) - testing::sampled(*ddim, denoiser, x_S, target));
  };
  EXPECT_LT(gap(trip({.iterations = 40, .learning_rate = 0.05})), gap(trip({.iterations = 0})));
}

// Without a target prompt the loss is that of DDIM's implicit step.
TEST(Enm, AReconstructionDescendsToTheFixedPoint) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*enm({.iterations = 400, .threshold = 1e-24}), {.steps = 50});
  EXPECT_LT(mixture.distance_from_recorded(trip, 50, "fixed_point_20"), 1e-7);
  EXPECT_LT(mixture.mse(trip), 1e-16);
}

TEST(Enm, MoreRefinementsBringARoundTripNearer) {
  Mixture mixture;
  for (const int steps : {10, 50}) {
    const double five = mixture.mse(mixture.round_trip(*enm({}), {.steps = steps}));
    const double twenty = mixture.mse(mixture.round_trip(*enm({.iterations = 20}), {.steps = steps}));
    EXPECT_LT(five, mixture.recorded(steps, "ddim_t")["mse"].get<double>()) << steps;
    EXPECT_LT(twenty, 0.5 * five) << steps;
  }
}

TEST_F(EnmTest, AStepEndsBelowTheThreshold) {
  const RoundTrip full = trip({.iterations = 10});
  const double threshold = (full.inversion.losses.at(6)[3] + full.inversion.losses.at(6)[4]) / 2;
  const RoundTrip early = trip({.iterations = 10, .threshold = threshold});
  for (const auto& [i, losses] : early.inversion.losses) {
    for (size_t k = 0; k + 1 < losses.size(); ++k) EXPECT_GE(losses[k], threshold) << "step " << i;
    if (losses.size() < 10) {
      EXPECT_LT(losses.back(), threshold) << "step " << i;
    }
  }
  EXPECT_LT(early.invert_cost.rows, full.invert_cost.rows);
}

// Edits of one image that differ in the target prompt are not to share the inversion; reconstructions, and edits that
// give the second term no weight, may.
TEST_F(EnmTest, SaysThatTheInversionReadsTheTargetPrompt) {
  const auto reads = [&](const Method& method, bool is_edit) {
    const WayBack way_back{
        .sample = [&](const Problem& run, const Inversion& inversion, const SourceWalk&, const Guidance& guidance) {
          return own_way_back(method, run, inversion, guidance);
        }};
    return rehearse(method, way_back, setting.step_grid(), setting.settings(), is_edit, {}).invert.reads;
  };
  EXPECT_TRUE(reads(*enm({}), true).has(kTargetKey));
  EXPECT_FALSE(reads(*enm({.lambda = 0}), true).has(kTargetKey));
  EXPECT_FALSE(reads(*testing::method_of("ddim", {}), true).has(kTargetKey));
  setting.target = prompt(0.6);
  const Tensor one = trip({}).inversion.pivots.back();
  setting.target = prompt(0.2);
  EXPECT_FALSE(at::equal(one, trip({}).inversion.pivots.back()));
}

}  // namespace
}  // namespace roundtrip::inversion
