// The gradients by hand against finite differences of the losses they belong to.
#include "inversion/noise_likeness.h"

#include <gtest/gtest.h>

#include "inversion/problem.h"

namespace roundtrip::inversion {
namespace {

Tensor normal(int key) {
  return counter_noise(key, "likeness")(NoisePurpose::kForward, 1, at::empty({2, 16, 16}, at::kDouble));
}

template <typename Loss>
void expect_gradient(const Tensor& x, const Tensor& gradient, Loss loss) {
  const Tensor along = normal(7);
  const double h = 1e-5, difference = (loss(x + h * along) - loss(x - h * along)) / (2 * h);
  EXPECT_NEAR((gradient * along).sum().item<double>(), difference, 1e-6 * std::abs(difference) + 1e-9);
}

double patch_kl(const Tensor& eps, const Tensor& reference, bool as_released = false) {
  double sum = 0;
  for (int64_t c = 0; c < 2; ++c) {
    for (int64_t y = 0; y < 16; y += 4) {
      for (int64_t x = 0; x < 16; x += 4) {
        const auto moments = [&](const Tensor& image) {
          const Tensor patch = image[c].narrow(0, y, 4).narrow(1, x, 4);
          const double v = patch.var(as_released).item<double>() + (as_released ? 1e-6 : 0);
          return std::pair(patch.mean().item<double>(), v);
        };
        const auto [mu, v] = moments(eps);
        const auto [mu_ref, v_ref] = moments(reference);
        const double twice = std::log(v_ref / v) + (v + (mu - mu_ref) * (mu - mu_ref)) / v_ref - 1;
        sum += as_released ? twice : twice / 2;
      }
    }
  }
  return sum;
}

TEST(NoiseLikeness, PatchKl) {
  const Tensor eps = normal(1) * 1.3 + 0.2, reference = normal(2);
  expect_gradient(eps, patch_kl_gradient(eps, reference), [&](const Tensor& x) { return patch_kl(x, reference); });
  EXPECT_LT(patch_kl_gradient(eps, eps).abs().max().item<double>(), 1e-12);
}

TEST(NoiseLikeness, PatchKlAsReleased) {
  const Tensor eps = normal(1) * 1.3 + 0.2, reference = normal(2);
  expect_gradient(eps, patch_kl_gradient(eps, reference, true),
                  [&](const Tensor& x) { return patch_kl(x, reference, true); });
}

double expected_autocorrelation(Tensor n, int64_t r_fine, int64_t r_coarse) {
  double sum = 0;
  for (const int64_t r : {r_fine, r_coarse}) {
    for (const int64_t axis : {1, 2}) sum += (n * n.roll(r, axis)).mean({1, 2}).square().sum().item<double>();
    n = at::avg_pool2d(n, {2, 2});
  }
  return sum;
}

TEST(NoiseLikeness, Autocorrelation) {
  const Tensor eps = normal(3) + 0.5;
  // On 16 x 16, r in [1, 8): 0.5 is 1 + floor(3.5) = 4; on 8 x 8, r in [1, 4): 0.9 is 1 + floor(2.7) = 3.
  const Tensor gradient = autocorrelation_gradient(eps, at::tensor({0.5, 0.9}, at::kDouble));
  expect_gradient(eps, gradient, [](const Tensor& x) { return expected_autocorrelation(x, 4, 3); });
  EXPECT_NEAR(autocorrelation(eps, at::tensor({0.5, 0.9}, at::kDouble)), expected_autocorrelation(eps, 4, 3), 1e-12);
}

// Channels of their own; a shift of 0 is the mean square.
TEST(NoiseLikeness, AutocorrelationAtShiftsOfEachChannel) {
  const Tensor eps = normal(3) + 0.5;
  // On 16 x 16, r in [0, 8): 0.5 is 4; on 8 x 8, r in [0, 4): 0.9 is 3.
  const Tensor gradient = autocorrelation_gradient(eps, at::tensor({0.5, 0.9, 0.0, 0.6}, at::kDouble).view({2, 2}));
  expect_gradient(eps, gradient, [](const Tensor& x) {
    return expected_autocorrelation(x.narrow(0, 0, 1), 4, 3) + expected_autocorrelation(x.narrow(0, 1, 1), 0, 2);
  });
}

TEST(NoiseLikeness, OnePixelHasNoAutocorrelation) {
  const Tensor eps = at::full({2, 1, 1}, 3.0, at::kDouble);
  EXPECT_EQ(autocorrelation_gradient(eps, at::tensor({0.5, 0.9}, at::kDouble)).abs().max().item<double>(), 0);
}

TEST(NoiseLikeness, AStepAlongTheGradientLowersTheAutocorrelation) {
  const Tensor eps = normal(3) + 0.5;
  const Tensor uniforms = at::tensor({0.5, 0.9}, at::kDouble);
  const Tensor after = eps - 20 * autocorrelation_gradient(eps, uniforms);
  EXPECT_LT(expected_autocorrelation(after, 4, 3), expected_autocorrelation(eps, 4, 3));
}

}  // namespace
}  // namespace roundtrip::inversion
