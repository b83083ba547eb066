#include <gtest/gtest.h>

#include "support/flow_mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::Mixture;
using testing::RoundTrip;

std::unique_ptr<Method> dpm_solver(int64_t iterations, double tolerance, int64_t order = 1) {
  return make_method("dpm_solver", config::Params("method", {{"name", std::string("dpm_solver")},
                                                             {"order", order},
                                                             {"iterations", iterations},
                                                             {"tolerance", tolerance}}));
}

TEST(DpmSolver, SolvedToTheEndItIsTheFixedPoint) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*dpm_solver(500, 1e-26), {.steps = 50});
  EXPECT_LT(mixture.distance_from_recorded(trip, 50, "fixed_point_20"), 1e-9);
  EXPECT_LT(mixture.mse(trip), 1e-20);
}

TEST(DpmSolver, AStepEndsBelowTheTolerance) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*dpm_solver(500, 1e-6), {.steps = 10});
  int64_t iterations = 0;
  for (const auto& [i, residuals] : trip.inversion.losses) {
    EXPECT_LT(residuals.back() * 64, 1e-6) << "step " << i;
    iterations += static_cast<int64_t>(residuals.size());
  }
  EXPECT_EQ(trip.invert_cost.rows, 10 + iterations);
  EXPECT_EQ(trip.invert_cost.grad_rows, 0);
}

TEST(DpmSolver, WithoutIterationsItIsDdim) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*dpm_solver(0, 1e-3), {.steps = 10});
  EXPECT_LT(mixture.distance_from_recorded(trip, 10, "ddim_t"), 1e-9);
}

// DPM-Solver++(2M) written out in lambda, as its paper has it; the first and the last step are DDIM's.
TEST(DpmSolver, OrderTwoSamplesWithTheMultistepSolver) {
  testing::ConditionedDenoiser denoiser;
  const Tensor x_S = at::linspace(-1.9, 1.8, 12, at::kDouble).view({3, 2, 2});
  const testing::Setting setting{.steps = 6};
  const diffusion::StepGrid grid = setting.step_grid();
  const auto eps = [&](const Tensor& x, int i) {
    return denoiser.out({x.unsqueeze(0), at::full({1}, grid[i].t, at::kDouble), {}})[0];
  };
  const auto lambda = [&](int i) { return std::log(grid[i].a / grid[i].s); };
  Tensor x = x_S, before;
  for (int i = 6; i >= 1; --i) {
    const Tensor m = (x - grid[i].s * eps(x, i)) / grid[i].a;
    if (i == 6 || i == 1) {
      x = grid.step(x, eps(x, i), i, i - 1);
    } else {
      const double h = lambda(i - 1) - lambda(i), r = (lambda(i) - lambda(i + 1)) / h;
      const Tensor D = m + (m - before) / (2 * r);
      x = grid[i - 1].s / grid[i].s * x - grid[i - 1].a * std::expm1(-h) * D;
    }
    before = m;
  }
  const Tensor sampled = testing::sampled(*dpm_solver(0, 0, 2), denoiser, x_S, setting);
  EXPECT_LT((sampled - x).abs().max().item<double>(), 1e-12);
}

// Besides the guessed term it lacks what 500 iterations leave: rho is 0.01 at the noisy end.
TEST(DpmSolver, OrderTwoIsExactButForTheTermThatItGuesses) {
  Mixture mixture;
  double coarse = 1;
  for (const int steps : {10, 50}) {
    const double solved = mixture.mse(mixture.round_trip(*dpm_solver(500, 1e-12, 2), {.steps = steps}));
    const double guessed = mixture.mse(mixture.round_trip(*dpm_solver(0, 1e-12, 2), {.steps = steps}));
    EXPECT_LT(solved, 0.5 * guessed) << steps;
    EXPECT_LT(solved, 0.1 * mixture.recorded(steps, "ddim_t")["mse"].get<double>()) << steps;
    EXPECT_LT(solved, coarse) << steps;
    coarse = solved;
  }
}

// Two guesses in strides of 10 timesteps, and the two predictions of the term; none in the first and the last step.
TEST(DpmSolver, OrderTwoCostsItsStrides) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*dpm_solver(0, 1e-3, 2), {.steps = 50});
  EXPECT_EQ(trip.invert_cost.rows, 2 + 48 * (2 + 2 + 2));
  EXPECT_EQ(trip.sample_cost.rows, 50);
}

TEST(DpmSolver, OrderTwoRunsOnAFlow) {
  testing::FlowMixtureDenoiser denoiser = testing::flow_mixture();
  const Tensor x0 = testing::tensor_of(testing::theory()["mixture"]["x0"]).view({1, 1, -1});
  testing::Setting setting{.steps = 20};
  setting.grid = testing::flow_grid(20, /*shift=*/3);
  const RoundTrip trip = testing::round_trip(*dpm_solver(500, 1e-16, 2), denoiser, x0, setting);
  const RoundTrip plain = testing::round_trip(*dpm_solver(0, 1e-16, 2), denoiser, x0, setting);
  EXPECT_LT(trip.error(x0), 0.5 * plain.error(x0));
}

}  // namespace
}  // namespace roundtrip::inversion
