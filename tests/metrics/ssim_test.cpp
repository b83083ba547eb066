#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "metrics/metric.h"
#include "metrics/pair.h"

namespace roundtrip::metrics {
namespace {

double ssim(const Tensor& reference, const Tensor& test) {
  return make_metric("ssim")->score(pair(reference, test)).item<double>();
}

// The definition, pixel by pixel: eq. 13 of the paper with reflected borders.
double by_definition(const Tensor& x, const Tensor& y) {
  const int64_t height = x.size(2), width = x.size(3);
  const auto reflected = [](int64_t j, int64_t length) {
    if (j < 0) return -j;
    return j < length ? j : 2 * (length - 1) - j;
  };
  double weight_sum = 0;
  for (int dy = -5; dy <= 5; ++dy) {
    for (int dx = -5; dx <= 5; ++dx) weight_sum += std::exp(-(dy * dy + dx * dx) / 4.5);
  }
  const Tensor xs = x.to(at::kDouble).contiguous(), ys = y.to(at::kDouble).contiguous();
  const auto a = xs.accessor<double, 4>(), b = ys.accessor<double, 4>();
  double total = 0;
  for (int64_t c = 0; c < x.size(1); ++c) {
    for (int64_t i = 0; i < height; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
        for (int dy = -5; dy <= 5; ++dy) {
          for (int dx = -5; dx <= 5; ++dx) {
            const double w = std::exp(-(dy * dy + dx * dx) / 4.5) / weight_sum;
            const int64_t row = reflected(i + dy, height), column = reflected(j + dx, width);
            const double p = a[0][c][row][column], q = b[0][c][row][column];
            mx += w * p, my += w * q, xx += w * p * p, yy += w * q * q, xy += w * p * q;
          }
        }
        total += (2 * mx * my + 1e-4) * (2 * (xy - mx * my) + 9e-4) /
                 ((mx * mx + my * my + 1e-4) * (xx - mx * mx + yy - my * my + 9e-4));
      }
    }
  }
  return total / static_cast<double>(x.size(1) * height * width);
}

TEST(Ssim, FollowsItsDefinition) {
  at::manual_seed(2);
  for (const auto& [height, width] : std::vector<std::pair<int64_t, int64_t>>{{11, 11}, {17, 12}, {32, 32}}) {
    const Tensor x = at::rand({1, 3, height, width});
    const Tensor y = (x + 0.2 * at::randn_like(x)).clamp(0, 1);
    EXPECT_NEAR(ssim(x, y), by_definition(x, y), 2e-5) << height;
  }
}

TEST(Ssim, IsOneForEqualImages) {
  const Tensor image = at::rand({1, 3, 20, 30});
  EXPECT_NEAR(ssim(image, image), 1, 1e-6);
}

// Without variance only the luminance term is left.
TEST(Ssim, OfConstantsIsTheLuminanceTerm) {
  const Tensor x = at::full({1, 3, 16, 16}, 0.5), y = at::full({1, 3, 16, 16}, 0.25);
  EXPECT_NEAR(ssim(x, y), (2 * 0.5 * 0.25 + 1e-4) / (0.25 + 0.0625 + 1e-4), 2e-5);
}

TEST(Ssim, IsNanBelowItsWindow) {
  EXPECT_TRUE(std::isnan(ssim(at::rand({1, 3, 10, 64}), at::rand({1, 3, 10, 64}))));
  EXPECT_FALSE(std::isnan(ssim(at::rand({1, 3, 11, 64}), at::rand({1, 3, 11, 64}))));
}

// Large batches are scored in parts.
TEST(Ssim, OfALargeBatchIsThatOfItsPairs) {
  const Tensor x = at::rand({3, 3, 600, 700}), y = at::rand({3, 3, 600, 700});
  const Tensor scores = make_metric("ssim")->score(pair(x, y));
  EXPECT_NEAR(scores[2].item<double>(), ssim(x.narrow(0, 2, 1), y.narrow(0, 2, 1)), 1e-7);
}

}  // namespace
}  // namespace roundtrip::metrics
