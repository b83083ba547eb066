// ssim: Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP
// 2004, eq. 13, a channel at a time, with torchmetrics' choices: an 11x11 Gaussian window of sigma 1.5, K1 =
// 0.01, K2 = 0.03, data range 1, borders reflected by 5 pixels and the mean taken over the whole map
// (scikit-image, by contrast, drops the border).
//
// In float64: variances are differences of nearly equal numbers, and float32 loses the fifth decimal there.
// The window is separable and linear, so a blur is B_H x B_W^T with the reflection folded into the matrices.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <spdlog/spdlog.h>

#include "metrics/metric.h"

namespace roundtrip::metrics {
namespace {

constexpr int64_t kWindow = 11, kReach = kWindow / 2;
constexpr double kSigma = 1.5;
constexpr double kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;

// Row i holds the window around pixel i of a line, its ends folded back at the borders.
Tensor blur_matrix(int64_t length, at::Device device) {
  std::array<double, kWindow> g;
  double sum = 0;
  for (int64_t k = 0; k < kWindow; ++k) {
    const double distance = static_cast<double>(k - kReach) / kSigma;
    sum += g[static_cast<size_t>(k)] = std::exp(-distance * distance / 2);
  }
  Tensor matrix = at::zeros({length, length}, at::kDouble);
  auto entry = matrix.accessor<double, 2>();
  for (int64_t i = 0; i < length; ++i) {
    for (int64_t k = 0; k < kWindow; ++k) {
      const int64_t past_left = std::abs(i + k - kReach);
      const int64_t j = length - 1 - std::abs(length - 1 - past_left);
      entry[i][j] += g[static_cast<size_t>(k)] / sum;
    }
  }
  return matrix.to(device);
}

// x, y: [n, C, H, W] float64 -> [n].
Tensor mean_similarity(const Tensor& x, const Tensor& y, const Tensor& blur_rows,
                       const Tensor& blur_columns) {
  const auto blur = [&](const Tensor& image) {
    return at::matmul(blur_rows, at::matmul(image, blur_columns));
  };
  const Tensor mu_x = blur(x), mu_y = blur(y);
  const Tensor var_x = (blur(x * x) - mu_x * mu_x).clamp_min(0);
  const Tensor var_y = (blur(y * y) - mu_y * mu_y).clamp_min(0);
  const Tensor cov = blur(x * y) - mu_x * mu_y;
  const Tensor similarity =
      (2 * mu_x * mu_y + kC1) * (2 * cov + kC2) / ((mu_x * mu_x + mu_y * mu_y + kC1) * (var_x + var_y + kC2));
  return similarity.flatten(1).mean(1);
}

class Ssim : public Metric {
 public:
  const MetricInfo& info() const override {
    static const MetricInfo info{.name = "ssim",
                                 .units = "",
                                 .long_name =
                                     "structural similarity, Gaussian 11x11, sigma 1.5, K1 0.01, K2 0.03, "
                                     "data range 1, reflected borders, mean of the whole map; NaN below "
                                     "11 pixels",
                                 .direction = Direction::kHigherIsBetter,
                                 .version = "1",
                                 .on_latents = false};
    return info;
  }

  Tensor score(const Tensor& reference, const Tensor& test) override {
    check_pair(reference, test);
    const int64_t count = reference.size(0), height = reference.size(2), width = reference.size(3);
    const auto options = reference.options().dtype(at::kDouble);
    if (std::min(height, width) < kWindow) {
      if (!std::exchange(warned_, true)) {
        spdlog::warn("ssim: images of {}x{} are smaller than its 11x11 window; the column will be NaN",
                     height, width);
      }
      return at::full({count}, std::nan(""), options);
    }
    const Tensor rows = blur_matrix(height, reference.device());
    const Tensor columns = blur_matrix(width, reference.device()).t();
    // A dozen maps in float64 live at once: at most 32 MiB each.
    const int64_t chunk = std::max<int64_t>(1, (int64_t{1} << 22) / (reference.size(1) * height * width));
    std::vector<Tensor> scores;
    for (int64_t from = 0; from < count; from += chunk) {
      const int64_t length = std::min(chunk, count - from);
      scores.push_back(mean_similarity(reference.narrow(0, from, length).to(at::kDouble),
                                       test.narrow(0, from, length).to(at::kDouble), rows, columns));
    }
    return scores.empty() ? at::empty({0}, options) : at::cat(scores);
  }

 private:
  bool warned_ = false;
};

const MetricRegistration registration{"ssim", [](const MetricOptions&) { return std::make_unique<Ssim>(); }};

}  // namespace
}  // namespace roundtrip::metrics
