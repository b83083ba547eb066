#include <gtest/gtest.h>

#include "support/inversion_bench.h"

namespace roundtrip::inversion {
namespace {

using testing::round_trip;
using testing::RoundTrip;

std::unique_ptr<Method> forward_noise() {
  return make_method("forward_noise", config::Params("method", {{"name", std::string("forward_noise")}}));
}

TEST(ForwardNoise, AsksNoNetworkOnTheWayUp) {
  testing::GaussianDenoiser denoiser(0.25);
  const RoundTrip trip = round_trip(*forward_noise(), denoiser, at::zeros({1, 2, 2}, at::kDouble), {.steps = 10});
  EXPECT_EQ(trip.invert_cost.rows, 0);
  EXPECT_EQ(trip.sample_cost.rows, 10);
}

TEST(ForwardNoise, EveryLevelHasTheMarginalOfTheForwardProcess) {
  testing::GaussianDenoiser denoiser(0.25);
  const int64_t n = 200 * 200;
  const Tensor x0 = at::full({1, 200, 200}, 0.7, at::kDouble);
  const RoundTrip trip = round_trip(*forward_noise(), denoiser, x0, {.steps = 10});
  const diffusion::StepGrid grid = diffusion::ddim_grid(testing::NoiseSchedule(testing::sd_schedule()), 10);
  for (int i = 1; i <= 10; ++i) {
    // The clean end is alpha_bar_0 here, so the marginal is relative to it; 5 standard errors.
    const double ratio = testing::alpha_bar(grid, i) / testing::alpha_bar(grid, 0), variance = 1 - ratio;
    const Tensor& x = trip.inversion.pivots[i];
    EXPECT_NEAR(x.mean().item<double>(), 0.7 * std::sqrt(ratio), 5 * std::sqrt(variance / n)) << "i = " << i;
    EXPECT_NEAR(x.var().item<double>(), variance, 5 * variance * std::sqrt(2.0 / n)) << "i = " << i;
  }
}

TEST(ForwardNoise, NoiseIsFreshAtEachStep) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::zeros({1, 100, 100}, at::kDouble);
  const RoundTrip trip = round_trip(*forward_noise(), denoiser, x0, {.steps = 2});
  const diffusion::StepGrid grid = diffusion::ddim_grid(testing::NoiseSchedule(testing::sd_schedule()), 2);
  const double r = testing::alpha_bar(grid, 2) / testing::alpha_bar(grid, 1);
  const Tensor first = trip.inversion.pivots[1];
  const Tensor second = (trip.inversion.pivots[2] - std::sqrt(r) * first) / std::sqrt(1 - r);
  const double correlation = ((first * second).mean() / (first.std() * second.std())).item<double>();
  EXPECT_LT(std::abs(correlation), 0.05);
}

TEST(ForwardNoise, DoesNotReconstruct) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::full({1, 20, 20}, 0.7, at::kDouble);
  EXPECT_GT(round_trip(*forward_noise(), denoiser, x0, {.steps = 50}).error(x0), 0.5);
}

}  // namespace
}  // namespace roundtrip::inversion
