#include <gtest/gtest.h>

#include "support/flow_walks.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::method_of;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> easy_inv(double eta = 0.5, double start_at = 0.05, double stop_at = 0.25) {
  return method_of("easy_inv", {{"eta", eta}, {"start_at", start_at}, {"stop_at", stop_at}});
}

const Tensor kImage = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});

TEST(EasyInv, WithoutMixingItIsDdim) {
  testing::ConditionedDenoiser denoiser;
  for (const EpsAt eps_at : {EpsAt::kTo, EpsAt::kFrom}) {
    const Setting setting{.steps = 20, .eps_at = eps_at};
    const RoundTrip mixed = testing::round_trip(*easy_inv(1, 0, 1), denoiser, kImage, setting);
    const RoundTrip ddim = testing::round_trip(*method_of("ddim", {}), denoiser, kImage, setting);
    EXPECT_TRUE(at::equal(at::stack(mixed.inversion.pivots), at::stack(ddim.inversion.pivots)));
    EXPECT_TRUE(at::equal(at::stack(mixed.path), at::stack(ddim.path)));
  }
}

// By hand, on a prediction that reads x: it is asked at the latent before it is mixed, and the latent mixed with is the
// mixed one.
TEST(EasyInv, MixesWithWhatTheStepBeforeStartedFrom) {
  testing::GaussianDenoiser denoiser(0.25);
  const Setting setting{.steps = 3};
  const diffusion::StepGrid grid = setting.step_grid();
  const auto eps = [&](double x, int i) {
    const double abar = testing::alpha_bar(grid, i);
    return std::sqrt(1 - abar) / (0.25 * abar + 1 - abar) * x;
  };
  const auto step = [&](double x, double out, int i) {
    return grid[i].c / grid[i - 1].c * x + grid.out_coefficient(i - 1, i) * out;
  };
  const double x0 = 0.7, x1 = step(x0, eps(x0, 1), 1);
  const double m1 = 0.3 * x1 + 0.7 * x0, x2 = step(m1, eps(x1, 2), 2);
  const double m2 = 0.3 * x2 + 0.7 * m1, x3 = step(m2, eps(x2, 3), 3);
  const RoundTrip trip =
      testing::round_trip(*easy_inv(0.3, 0, 1), denoiser, at::full({1, 1, 1}, x0, at::kDouble), setting);
  for (const auto& [i, expected] : std::map<int, double>{{1, x1}, {2, x2}, {3, x3}}) {
    EXPECT_NEAR(trip.inversion.pivots[i].item<double>(), expected, 1e-14) << i;
  }
}

TEST(EasyInv, TheEndsOfTheWindowAreLeftOut) {
  testing::ConditionedDenoiser denoiser;
  const Setting setting{.steps = 10};
  const Trajectory ddim = testing::round_trip(*method_of("ddim", {}), denoiser, kImage, setting).inversion.pivots;
  const auto first_that_differs = [&](double start_at, double stop_at) {
    const RoundTrip trip = testing::round_trip(*easy_inv(0.5, start_at, stop_at), denoiser, kImage, setting);
    EXPECT_EQ(trip.invert_cost.rows, 10);
    int i = 0;
    while (i <= 10 && at::equal(trip.inversion.pivots[i], ddim[i])) ++i;
    return i;
  };
  EXPECT_EQ(first_that_differs(0.2, 0.4), 4);   // k = 3 alone, the step to index 4
  EXPECT_EQ(first_that_differs(0.2, 0.3), 11);  // no k between
  EXPECT_EQ(first_that_differs(0, 0.2), 2);     // not k = 0, which has no step before it
}

// The walk in the window is slower by eta at any number of steps, so the round trip does not converge.
TEST(EasyInv, MoreStepsDoNotBringTheRoundTripBack) {
  testing::Mixture mixture;
  std::map<int, double> mixed, plain, noise;  // mean squares
  for (const int steps : {25, 50, 200}) {
    const RoundTrip trip = mixture.round_trip(*easy_inv(), {.steps = steps});
    mixed[steps] = mixture.mse(trip);
    noise[steps] = mean_square(trip.inversion.pivots.back());
    plain[steps] = mixture.mse(mixture.round_trip(*method_of("ddim", {}), {.steps = steps}));
  }
  EXPECT_LT(plain[200], 0.1 * plain[50]);
  EXPECT_GT(mixed[200], 0.5 * mixed[50]);
  EXPECT_GT(mixed[200], 10 * plain[200]);
  EXPECT_LT(noise[200], 0.6) << "the walk falls behind, and ends with less than all of the noise";
}

}  // namespace
}  // namespace roundtrip::inversion
