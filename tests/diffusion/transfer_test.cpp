#include "diffusion/transfer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "diffusion/guidance.h"

namespace roundtrip::diffusion {
namespace {

TEST(Transfer, ThereAndBackWithTheSameEpsIsTheIdentity) {
  const Tensor x = at::linspace(-2, 2, 9, at::kDouble), eps = at::linspace(1, -1, 9, at::kDouble);
  const Tensor there = transfer(x, eps, 0.9, 0.3);
  EXPECT_LT((transfer(there, eps, 0.3, 0.9) - x).abs().max().item<double>(), 1e-15);
}

TEST(Transfer, MovesACleanImageToItsNoisyForm) {
  const Tensor x0 = at::full({3}, 0.5, at::kDouble), eps = at::full({3}, -1.0, at::kDouble);
  const Tensor x = transfer(x0, eps, 1.0, 0.36);
  EXPECT_NEAR(x[0].item<double>(), 0.6 * 0.5 - 0.8, 1e-15);
}

TEST(Transfer, TheVarianceOfAStochasticStepIsPreserved) {
  // For x0 = 0: Var(x_to) = (eps coefficient)^2 + sigma^2 has to be 1 - abar_to whatever eta is.
  const double from = 0.2, to = 0.6;
  for (const double eta : {0.0, 0.5, 1.0}) {
    const double sigma = ddim_sigma(eta, from, to);
    const Tensor eps = at::ones({1}, at::kDouble), x = eps * std::sqrt(1 - from);
    const double mean = transfer(x, eps, from, to, sigma).item<double>();
    EXPECT_NEAR(mean * mean + sigma * sigma, 1 - to, 1e-12) << "eta = " << eta;
  }
}

TEST(Transfer, AStepWithoutAChangeOfLevelHasNoNoise) { EXPECT_EQ(ddim_sigma(1.0, 0.99, 0.99), 0.0); }

TEST(Transfer, ForwardStepsComposeToTheMarginal) {
  const Tensor x = at::ones({1}, at::kDouble), none = at::zeros({1}, at::kDouble);
  const Tensor twice = forward_step(forward_step(x, none, 1.0, 0.5), none, 0.5, 0.2);
  EXPECT_NEAR(twice.item<double>(), std::sqrt(0.2), 1e-15);
}

TEST(Guidance, AsksOnlyForTheRowsThatItNeeds) {
  const Conditioning c{.tokens = at::ones({2, 3})}, null{.tokens = at::zeros({2, 3})};
  EXPECT_EQ(branches(c, null, 1), Branches::kConditional);
  EXPECT_EQ(branches(c, null, 0), Branches::kUnconditional);
  EXPECT_EQ(branches(c, null, 7.5), Branches::kBoth);
  EXPECT_EQ(branches(c, c, 7.5), Branches::kConditional);
}

TEST(Guidance, ExtrapolatesFromTheUnconditionalPrediction) {
  const Tensor eps = guide(at::full({1}, 2.0), at::full({1}, 1.0), 7.5);
  EXPECT_FLOAT_EQ(eps.item<float>(), 1 + 7.5f * (2 - 1));
}

}  // namespace
}  // namespace roundtrip::diffusion
