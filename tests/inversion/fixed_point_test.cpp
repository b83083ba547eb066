#include <gtest/gtest.h>

#include "support/flow_walks.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::Mixture;
using testing::RoundTrip;

std::unique_ptr<Method> fixed_point(int64_t iterations, const std::string& acceleration = "none",
                                    double tolerance = 0) {
  return make_method("fixed_point", config::Params("method", {{"name", std::string("fixed_point")},
                                                              {"iterations", iterations},
                                                              {"tolerance", tolerance},
                                                              {"acceleration", acceleration},
                                                              {"window", int64_t{3}},
                                                              {"tikhonov", 1e-10}}));
}

TEST(FixedPoint, IterationsOnAMixtureMatchTheTheory) {
  Mixture mixture;
  for (const int steps : {10, 50}) {
    for (const int k : {1, 2, 5, 20}) {
      const std::string name = fmt::format("fixed_point_{}", k);
      const RoundTrip trip = mixture.round_trip(*fixed_point(k), {.steps = steps});
      EXPECT_LT(mixture.distance_from_recorded(trip, steps, name), 1e-9) << name << " at " << steps << " steps";
      const double mse = mixture.recorded(steps, name)["mse"];
      EXPECT_NEAR(mixture.mse(trip), mse, 1e-6 * mse + 1e-28) << name << " at " << steps << " steps";
      EXPECT_EQ(trip.invert_cost.rows, steps * (1 + k));
    }
  }
}

TEST(FixedPoint, WithoutIterationsItIsDdim) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*fixed_point(0), {.steps = 50});
  EXPECT_LT(mixture.distance_from_recorded(trip, 50, "ddim_t"), 1e-9);
}

TEST(FixedPoint, AndersonMixingNeedsFewerIterations) {
  Mixture mixture;
  const double plain = mixture.mse(mixture.round_trip(*fixed_point(5), {.steps = 10}));
  const double anderson = mixture.mse(mixture.round_trip(*fixed_point(5, "anderson"), {.steps = 10}));
  EXPECT_LT(anderson, 0.1 * plain);
}

TEST(FixedPoint, EveryAccelerationEndsAtTheSameFixedPoint) {
  Mixture mixture;
  for (const char* acceleration : {"averaging", "anderson"}) {
    const RoundTrip trip = mixture.round_trip(*fixed_point(60, acceleration), {.steps = 50});
    EXPECT_LT(mixture.distance_from_recorded(trip, 50, "fixed_point_20"), 1e-8) << acceleration;
  }
}

// z_2 = (g(z_1) + g(z_0)) / 2: by hand on eps = c x, where g is linear.
TEST(FixedPoint, AveragingTakesTheMeanOfTheLastTwo) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::full({1, 1, 1}, 0.7, at::kDouble);
  const auto x_1 = [&](int64_t iterations, const std::string& acceleration) {
    return testing::round_trip(*fixed_point(iterations, acceleration), denoiser, x0, {.steps = 1})
        .inversion.pivots[1]
        .item<double>();
  };
  const double z_1 = x_1(0, "none"), g_z_1 = x_1(1, "none");
  EXPECT_NEAR(x_1(1, "averaging"), (g_z_1 + z_1) / 2, 1e-14);
}

// FTEdit's rule: z_0 .. z_K are iterated plainly, and the step is made with the mean of all K + 1 predictions.
TEST(FixedPoint, TheMeanIsOfEveryPrediction) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::full({1, 1, 1}, 0.7, at::kDouble);
  const auto x_1 = [&](int64_t iterations, const std::string& acceleration) {
    return testing::round_trip(*fixed_point(iterations, acceleration), denoiser, x0, {.steps = 1})
        .inversion.pivots[1]
        .item<double>();
  };
  EXPECT_NEAR(x_1(2, "mean"), (x_1(0, "none") + x_1(1, "none") + x_1(2, "none")) / 3, 1e-14);
  testing::FlowWalks flow;
  flow.setting.invert_w = 3;
  EXPECT_LT(flow.distance(flow.round_trip(*fixed_point(2, "mean")).inversion.pivots, "fixed_point.mean"), 1e-12);
}

TEST(FixedPoint, AStepEndsWhereItsResidualIsSmall) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*fixed_point(60, "none", 1e-6), {.steps = 20});
  EXPECT_LT(trip.invert_cost.rows, 20 * 61);
  for (const auto& [i, residuals] : trip.inversion.losses) {
    EXPECT_LT(residuals.back(), 1e-12) << "step " << i;
    for (size_t k = 0; k + 1 < residuals.size(); ++k) EXPECT_GE(residuals[k], 1e-12) << "step " << i;
  }
}

}  // namespace
}  // namespace roundtrip::inversion
