#include "inversion/adam.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace roundtrip::inversion {
namespace {

TEST(Adam, FirstStepIsTheLearningRateAlongTheSignOfTheGradient) {
  const at::Tensor theta = at::zeros({3}, at::kDouble), g = at::tensor({2.0, -0.5, 1e-3}, at::kDouble);
  const at::Tensor after = Adam(0.1).step(theta, g);
  EXPECT_LT((after + 0.1 * g.sign()).abs().max().item<double>(), 1e-5);
  EXPECT_TRUE(at::equal(theta, at::zeros({3}, at::kDouble)));
}

// By hand, algorithm 1 of the paper: g = 1, then g = -2, learning rate 0.1.
TEST(Adam, SecondStepByHand) {
  Adam adam(0.1);
  at::Tensor theta = at::zeros({1}, at::kDouble);
  theta = adam.step(theta, at::ones({1}, at::kDouble));
  theta = adam.step(theta, at::full({1}, -2.0, at::kDouble));
  const double m = (0.9 * 0.1 * 1 + 0.1 * -2) / (1 - 0.81), v = (0.999 * 0.001 + 0.001 * 4) / (1 - 0.998001);
  EXPECT_NEAR(theta.item<double>(), -0.1 - 0.1 * m / std::sqrt(v), 1e-8);
}

TEST(Adam, RefusesHalfPrecision) {
  const at::Tensor theta = at::zeros({1}, at::kBFloat16);
  EXPECT_THROW(Adam(0.1).step(theta, theta), Error);
}

}  // namespace
}  // namespace roundtrip::inversion
