#include <gtest/gtest.h>

#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::Mixture;
using testing::RoundTrip;

struct Options {
  int64_t iterations = 1;
  bool averaging = false, regularisation = false;
  int64_t low_t = 250, high_from = 8, high_to = 10;
};

std::unique_ptr<Method> renoise(const Options& options) {
  return make_method("renoise", config::Params("method", {{"name", std::string("renoise")},
                                                          {"iterations", options.iterations},
                                                          {"averaging", options.averaging},
                                                          {"regularisation", options.regularisation},
                                                          {"low_t", options.low_t},
                                                          {"low_window_from", int64_t{0}},
                                                          {"low_window_to", int64_t{5}},
                                                          {"high_window_from", options.high_from},
                                                          {"high_window_to", options.high_to}}));
}

TEST(ReNoise, WithoutAveragingAndRegularisationItIsFixedPointIteration) {
  Mixture mixture;
  for (const int k : {1, 2, 5}) {
    const RoundTrip trip = mixture.round_trip(*renoise({.iterations = k}), {.steps = 50});
    EXPECT_LT(mixture.distance_from_recorded(trip, 50, fmt::format("fixed_point_{}", k)), 1e-9) << k;
  }
}

TEST(ReNoise, WithoutIterationsItIsDdim) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*renoise({.iterations = 0}), {.steps = 10});
  EXPECT_LT(mixture.distance_from_recorded(trip, 10, "ddim_t"), 1e-9);
}

// The published settings average nothing above low_t at one iteration.
TEST(ReNoise, AWindowThatIsNotReachedChangesNothing) {
  Mixture mixture;
  const RoundTrip plain = mixture.round_trip(*renoise({.low_t = 0}), {.steps = 20});
  const RoundTrip averaging = mixture.round_trip(*renoise({.averaging = true, .low_t = 0}), {.steps = 20});
  const RoundTrip reached =
      mixture.round_trip(*renoise({.averaging = true, .low_t = 0, .high_from = 0}), {.steps = 20});
  EXPECT_TRUE(at::equal(plain.inversion.pivots.back(), averaging.inversion.pivots.back()));
  EXPECT_FALSE(at::equal(plain.inversion.pivots.back(), reached.inversion.pivots.back()));
}

// One step on eps = c x: the mean of eps(z_0) and eps(z_1) makes it, which is the mean of the two maps.
TEST(ReNoise, TheMeanOfTheWindowMakesTheStep) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::full({1, 1, 1}, 0.7, at::kDouble);
  const auto x_1 = [&](const Options& options) {
    return testing::round_trip(*renoise(options), denoiser, x0, {.steps = 1}).inversion.pivots[1].item<double>();
  };
  EXPECT_NEAR(x_1({.averaging = true}), (x_1({.iterations = 0}) + x_1({.iterations = 1})) / 2, 1e-14);
}

TEST(ReNoise, BelowLowTAtMostFiveIterations) {
  Mixture mixture;
  EXPECT_EQ(mixture.round_trip(*renoise({.iterations = 9, .low_t = 1000}), {.steps = 10}).invert_cost.rows, 10 * 6);
  EXPECT_EQ(mixture.round_trip(*renoise({.iterations = 9, .low_t = 0}), {.steps = 10}).invert_cost.rows, 10 * 10);
}

TEST(ReNoise, RegularisationAsksForAReferenceOfEachStep) {
  testing::ConditionedDenoiser denoiser;
  const Tensor x0 = at::linspace(-0.9, 0.8, 3 * 16 * 16, at::kDouble).view({3, 16, 16});
  const RoundTrip trip = testing::round_trip(*renoise({.regularisation = true}), denoiser, x0, {.steps = 10});
  EXPECT_EQ(trip.invert_cost.rows, 10 * 3);
}

}  // namespace
}  // namespace roundtrip::inversion
