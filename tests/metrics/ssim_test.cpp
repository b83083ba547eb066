#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "metrics/metric.h"
#include "metrics/pair.h"
#include "metrics/ssim_map.h"

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

MetricParams border(const std::string& value) { return {{"ssim", config::Params("metric.ssim", {{"border", value}})}}; }

TEST(Ssim, BorderIsNamedInTheVersion) {
  EXPECT_EQ(make_metric("ssim", border("kept"))->info().version, make_metric("ssim")->info().version);
  EXPECT_EQ(make_metric("ssim", border("cropped"))->info().version, "1, border cropped");
}

// Without its border, the map of a 17x12 picture has 7x2 pixels.
TEST(Ssim, CroppedIsTheMeanOfWindowsInside) {
  at::manual_seed(3);
  const Tensor x = at::rand({2, 3, 17, 12}), y = (x + 0.1 * at::randn_like(x)).clamp(0, 1);
  const Tensor inside = ssim_map(x, y).slice(2, 5, 12).slice(3, 5, 7);
  const Tensor score = make_metric("ssim", border("cropped"))->score(pair(x, y));
  EXPECT_TRUE(at::allclose(score, inside.mean({1, 2, 3}).to(at::kDouble))) << score;
  EXPECT_FALSE(at::allclose(score, make_metric("ssim")->score(pair(x, y))));
}

TEST(Ssim, TheKernelsMapIsThatOfConvolutions) {
  at::manual_seed(4);
  for (const auto& [height, width] : std::vector<std::pair<int64_t, int64_t>>{{11, 11}, {40, 23}, {64, 100}}) {
    const Tensor x = at::rand({2, 3, height, width}), y = (x + 0.1 * at::randn_like(x)).clamp(0, 1);
    const Tensor expected = ssim_map_by_convolution(x, y);
    EXPECT_LT((ssim_map(x, y) - expected).abs().max().item<double>(), 2e-4) << height;
    EXPECT_NEAR(ssim_map(x, y).mean().item<double>(), expected.mean().item<double>(), 1e-6) << height;
    // Strided pictures, as a codec gives them.
    const Tensor last = x.contiguous(at::MemoryFormat::ChannelsLast);
    EXPECT_TRUE(at::equal(ssim_map(last, y), ssim_map(x, y)));
  }
}

// The kernel leaves out windows of zeros, such as those of the part that an edit may change, and cuts planes into rows
// for threads.
TEST(Ssim, TheKernelsMapIsRightBesideZeros) {
  at::manual_seed(6);
  Tensor x = at::rand({1, 3, 200, 150}), y = (x + 0.1 * at::randn_like(x)).clamp(0, 1);
  for (const Tensor& picture : {x, y}) picture.slice(2, 20, 150).slice(3, 30, 140).fill_(0);
  const auto in_zeros = [](const Tensor& map) { return map.slice(2, 25, 145).slice(3, 35, 135); };
  const Tensor map = ssim_map(x, y), expected = ssim_map_by_convolution(x, y);
  EXPECT_LT((map - expected).abs().max().item<double>(), 2e-4);
  EXPECT_TRUE((in_zeros(map) == 1).all().item<bool>());
  x[0][1][85][90] = 0.5;  // one pixel is not 0 in one picture
  const Tensor one = ssim_map(x, y);
  EXPECT_LT((one - ssim_map_by_convolution(x, y)).abs().max().item<double>(), 2e-4);
  EXPECT_EQ((in_zeros(one) != 1).sum().item<int64_t>(), 11 * 11);
  y[0][1][85][90] = std::nan("");
  EXPECT_EQ(in_zeros(ssim_map(x, y)).isnan().sum().item<int64_t>(), 11 * 11);
}

// An edited pixel (i, j) leaves out every window within 5 pixels of it, and changes no other.
TEST(Ssim, BackgroundHasWindowsOutsideTheEditAlone) {
  at::manual_seed(5);
  const Tensor x = at::rand({2, 3, 30, 40}), y = (x + 0.1 * at::randn_like(x)).clamp(0, 1);
  Tensor counts = at::ones({2, 1, 30, 40}, at::kBool);
  counts.slice(2, 8, 12).slice(3, 20, 30).fill_(false);
  Tensor edited = y.clone();
  edited.slice(2, 8, 12).slice(3, 20, 30).fill_(0);
  Tensor clear = at::ones({30, 40}, at::kBool);
  clear.slice(0, 3, 17).slice(1, 15, 35).fill_(false);
  const Tensor map = ssim_map(x, y);
  const auto kept = make_metric("ssim"), cropped = make_metric("ssim", border("cropped"));
  const Tensor inner = clear.slice(0, 5, 25).slice(1, 5, 35), inner_map = map.slice(2, 5, 25).slice(3, 5, 35);
  for (int64_t n = 0; n < 2; ++n) {
    const double whole = map[n].masked_select(clear).mean().item<double>();
    EXPECT_NEAR(kept->score_where(x, edited, counts)[n].item<double>(), whole, 1e-6);
    EXPECT_NEAR(cropped->score_where(x, edited, counts)[n].item<double>(),
                inner_map[n].masked_select(inner).mean().item<double>(), 1e-6);
    EXPECT_GT(std::abs(kept->score(pair(x, edited))[n].item<double>() - whole), 1e-3);
  }
}

TEST(Ssim, BackgroundWithoutAClearWindowIsNan) {
  const Tensor x = at::rand({1, 3, 16, 16});
  Tensor counts = at::ones({1, 1, 16, 16}, at::kBool);
  counts[0][0][8][8] = false;  // windows within 5 pixels of the middle
  EXPECT_FALSE(std::isnan(make_metric("ssim")->score_where(x, x, counts).item<double>()));
  EXPECT_TRUE(std::isnan(make_metric("ssim", border("cropped"))->score_where(x, x, counts).item<double>()));
}

// Large batches are scored in parts.
TEST(Ssim, OfALargeBatchIsThatOfItsPairs) {
  const Tensor x = at::rand({3, 3, 600, 700}), y = at::rand({3, 3, 600, 700});
  const Tensor scores = make_metric("ssim")->score(pair(x, y));
  EXPECT_NEAR(scores[2].item<double>(), ssim(x.narrow(0, 2, 1), y.narrow(0, 2, 1)), 1e-7);
}

}  // namespace
}  // namespace roundtrip::metrics
