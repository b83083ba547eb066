#include <gtest/gtest.h>

#include "support/flow_grid.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::Mixture;
using testing::RoundTrip;

std::unique_ptr<Method> newton(int64_t iterations, double lambda = 0.1, const std::string& returns = "z",
                               const std::string& form = "paper") {
  return make_method("newton", config::Params("method", {{"name", std::string("newton")},
                                                         {"iterations", iterations},
                                                         {"lambda", lambda},
                                                         {"eta", 1e-10},
                                                         {"returns", returns},
                                                         {"form", form}}));
}

// In one dimension with eps = c x the equation is linear and piecewise so in |.|: without the prior, one Newton step
// solves it.
TEST(Newton, SolvesALinearStepInOneIteration) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::full({1, 1, 1}, 0.7, at::kDouble);
  const RoundTrip trip = testing::round_trip(*newton(2, 0), denoiser, x0, {.steps = 20});
  for (const auto& [i, residuals] : trip.inversion.losses) {
    EXPECT_GT(residuals[0], 1e-9) << "step " << i;
    EXPECT_LT(residuals[1], 1e-18) << "step " << i;
  }
  EXPECT_LT(trip.error(x0), 1e-9);
}

// v = x / 2, so that one iteration can be written by hand.
class LinearFlow : public diffusion::Denoiser {
 public:
  Tensor out(const diffusion::Batch& batch) override { return batch.x / 2; }
  diffusion::Out predicts() const override { return diffusion::Out::kVelocity; }
};

// The prior is the forward process's from level to level, on a flow too: mean 0.6 x, variance 0.16 from sigma 0 to 0.4.
TEST(Newton, ItsPriorIsTheForwardProcessOfTheModel) {
  LinearFlow denoiser;
  const Tensor x0 = at::full({1, 1, 1}, 0.7, at::kDouble);
  testing::Setting setting{.steps = 1};
  setting.grid = testing::flow_grid(std::vector<double>{0, 0.4});
  const double h = 0.4, miss = -h * 0.35, weight = 0.1 / 0.16, to_mean = 0.7 - 0.6 * 0.7;
  const double F = std::abs(miss) + weight * to_mean, dF = -(1 - h / 2) + weight;
  const RoundTrip trip = testing::round_trip(*newton(1), denoiser, x0, setting);
  EXPECT_NEAR(trip.inversion.pivots[1].item<double>(), 0.7 - F / dF, 1e-7);
}

TEST(Newton, GoesThroughTheNetwork) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*newton(2), {.steps = 10});
  EXPECT_EQ(trip.invert_cost.rows, 20);
  EXPECT_EQ(trip.invert_cost.grad_rows, 20);
  EXPECT_EQ(trip.sample_cost.rows, 10);
}

TEST(Newton, AnsweringWithGIsBetterThanTheExplicitStep) {
  Mixture mixture;
  for (const int steps : {10, 50}) {
    const double mse = mixture.mse(mixture.round_trip(*newton(2, 0.1, "g"), {.steps = steps}));
    EXPECT_LT(mse, mixture.recorded(steps, "ddim_t")["mse"].get<double>()) << steps << " steps";
  }
}

// Two iterations of the released code by hand on eps = c x, in two dimensions: no gradient through the network, the
// same length of step for both elements, and the answer is g of the better iterate.
TEST(Newton, AsReleasedEveryElementMovesAlike) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::tensor({0.7, -0.2}, at::kDouble).view({1, 1, 2});
  const testing::Setting setting{.steps = 1};
  const diffusion::StepGrid grid = setting.step_grid();
  const double abar = testing::alpha_bar(grid, 1), c = std::sqrt(1 - abar) / (abar * 0.25 + 1 - abar);
  const auto g = [&](const Tensor& z) { return grid.step(x0, c * z, 0, 1); };
  const auto F = [&](const Tensor& z) {
    const Tensor standard = (g(z) - grid[1].a * x0) / grid[1].s;
    return ((g(z) - z).abs() + 0.1 / 2 * standard.square()).mean().item<double>();
  };
  const Tensor z_1 = x0 + F(x0) * (g(x0) - x0).sign();
  const Tensor expected = F(z_1) < F(x0) ? g(z_1) : g(x0);
  const RoundTrip trip = testing::round_trip(*newton(2, 0.1, "z", "released"), denoiser, x0, setting);
  EXPECT_LT((trip.inversion.pivots[1] - expected).abs().max().item<double>(), 1e-12);
  EXPECT_EQ(trip.invert_cost.rows, 2);
  EXPECT_EQ(trip.invert_cost.grad_rows, 0);
}

// One iteration answers with g(x_{i-1}), whatever the prior is.
TEST(Newton, AsReleasedOneIterationIsDdim) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*newton(1, 0.1, "z", "released"), {.steps = 10});
  EXPECT_LT(mixture.distance_from_recorded(trip, 10, "ddim_t"), 1e-9);
}

TEST(Newton, TheResidualFalls) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*newton(8, 0), {.steps = 20});
  for (const auto& [i, residuals] : trip.inversion.losses) EXPECT_LT(residuals.back(), residuals.front()) << i;
}

}  // namespace
}  // namespace roundtrip::inversion
