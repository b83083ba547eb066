#include <gtest/gtest.h>

#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;
using testing::theory;

std::unique_ptr<Method> ddim() {
  return make_method("ddim", config::Params("method", {{"name", std::string("ddim")}}));
}

TEST(Ddim, RoundTripOnAGaussianMatchesTheTheory) {
  const auto& gaussian = theory()["gaussian"];
  testing::GaussianDenoiser denoiser(gaussian["var"]);
  const Tensor x0 = at::full({1, 1, 1}, gaussian["x0"].get<double>(), at::kDouble);
  for (const auto& [steps, expected] : gaussian["roundtrip"].items()) {
    for (const EpsAt eps_at : {EpsAt::kTo, EpsAt::kFrom}) {
      const Setting setting{.steps = std::stoi(steps), .eps_at = eps_at};
      const double x = round_trip(*ddim(), denoiser, x0, setting).path.back().item<double>();
      EXPECT_NEAR(x, expected[eps_at == EpsAt::kTo ? "t" : "t-1"], 1e-9) << steps << " steps";
    }
  }
}

// The relative errors as the issue of the DDIM method states them.
TEST(Ddim, RelativeErrorOnAGaussianFallsAsPublished) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::full({1, 1, 1}, 0.7, at::kDouble);
  const std::map<int, std::pair<double, double>> expected = {
      {20, {9.62, 20.07}}, {40, {4.66, 11.02}}, {100, {1.82, 4.75}}, {200, {0.90, 2.46}}};
  for (const auto& [steps, percent] : expected) {
    EXPECT_NEAR(100 * round_trip(*ddim(), denoiser, x0, {.steps = steps}).error(x0), percent.first, 0.005);
    EXPECT_NEAR(100 * round_trip(*ddim(), denoiser, x0, {.steps = steps, .eps_at = EpsAt::kFrom}).error(x0),
                percent.second, 0.005);
  }
}

TEST(Ddim, RoundTripOnAMixtureMatchesTheTheory) {
  testing::Mixture mixture;
  for (const int steps : {10, 50}) {
    for (const EpsAt eps_at : {EpsAt::kTo, EpsAt::kFrom}) {
      const std::string name = eps_at == EpsAt::kTo ? "ddim_t" : "ddim_t_minus_1";
      const RoundTrip trip = mixture.round_trip(*ddim(), {.steps = steps, .eps_at = eps_at});
      EXPECT_LT(mixture.distance_from_recorded(trip, steps, name), 1e-9) << steps << " steps";
      EXPECT_NEAR(mixture.mse(trip), mixture.recorded(steps, name)["mse"], 1e-9);
    }
  }
}

TEST(Ddim, IsExactWhereEpsDoesNotReadX) {
  testing::XIndependentDenoiser denoiser;
  const Tensor x0 = at::linspace(-1, 1, 12, at::kDouble).view({3, 2, 2});
  EXPECT_LT(round_trip(*ddim(), denoiser, x0, {.steps = 10}).error(x0), 1e-12);
  EXPECT_GT(round_trip(*ddim(), denoiser, x0, {.steps = 10, .eps_at = EpsAt::kFrom}).error(x0), 1e-3);
}

TEST(Ddim, CostsOneRowAStepUnlessGuidanceNeedsTwo) {
  testing::ConditionedDenoiser denoiser;
  const Tensor x0 = at::zeros({1, 2, 2}, at::kDouble);
  Setting setting{.steps = 10};
  setting.source.tokens = at::ones({2, 3}, at::kDouble);
  setting.null.tokens = at::zeros({2, 3}, at::kDouble);
  const auto rows = [&](double invert_w, double w) {
    setting.invert_w = invert_w;
    setting.w = w;
    const RoundTrip trip = round_trip(*ddim(), denoiser, x0, setting);
    return std::pair(trip.invert_cost.rows, trip.sample_cost.rows);
  };
  EXPECT_EQ(rows(1, 1), std::pair(int64_t{10}, int64_t{10}));
  EXPECT_EQ(rows(0, 7.5), std::pair(int64_t{10}, int64_t{20}));
  EXPECT_EQ(rows(3, 0), std::pair(int64_t{20}, int64_t{10}));
  setting.null = setting.source;  // an empty prompt is the null embedding: w has no effect
  EXPECT_EQ(rows(7.5, 7.5), std::pair(int64_t{10}, int64_t{10}));
}

TEST(Ddim, EtaAddsNoiseThatTheSeedDecides) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::full({1, 2, 2}, 0.7, at::kDouble);
  const auto end = [&](double eta, int64_t seed) {
    return round_trip(*ddim(), denoiser, x0, {.steps = 10, .eta = eta, .seed = seed}).path.back();
  };
  EXPECT_TRUE(at::equal(end(0, 1), end(0, 2)));
  EXPECT_TRUE(at::equal(end(1, 1), end(1, 1)));
  EXPECT_FALSE(at::equal(end(1, 1), end(1, 2)));
}

}  // namespace
}  // namespace roundtrip::inversion
