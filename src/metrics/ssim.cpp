// ssim: Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 2004, eq. 13,
// one channel at a time, with torchmetrics' choices: an 11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, data
// range 1, borders reflected by 5 pixels, and the mean over the whole map (scikit-image drops the border).
//
// It is computed in float32, with the window rounded as in torchmetrics, to agree with the numbers that papers print.
// Variances here are differences of nearly equal numbers, and exact arithmetic differs from torchmetrics by 1.4e-5.
#include <algorithm>
#include <cmath>
#include <utility>

#include <spdlog/spdlog.h>

#include "metrics/metric.h"

namespace roundtrip::metrics {
namespace {

constexpr int64_t kWindow = 11, kReach = kWindow / 2;
constexpr double kSigma = 1.5;
constexpr double kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;

// [11, 11]
Tensor gaussian_window(at::Device device) {
  const Tensor distance = at::arange(-kReach, kReach + 1, at::kFloat);
  const Tensor g = (-(distance / kSigma).square() / 2).exp();
  return at::outer(g / g.sum(), g / g.sum()).to(device);
}

// Two batches [n, C, H, W] float32 -> [n] float64.
Tensor mean_similarity(const Tensor& x, const Tensor& y, const Tensor& window) {
  const Tensor maps = at::cat({x, y, x * x, y * y, x * y});
  // Every plane is a group of one convolution: ten times as fast on a CPU as a batch of planes.
  const int64_t planes = maps.size(0) * maps.size(1);
  const Tensor folded = at::reflection_pad2d(maps, {kReach, kReach, kReach, kReach});
  const std::vector<int64_t> one = {1, 1}, none = {0, 0};
  const Tensor blurred = at::conv2d(folded.reshape({1, planes, folded.size(2), folded.size(3)}),
                                    window.expand({planes, 1, kWindow, kWindow}), /*bias=*/{}, one, none, one, planes);
  const std::vector<Tensor> means = blurred.reshape(maps.sizes()).chunk(5);
  const Tensor &mu_x = means[0], &mu_y = means[1];
  const Tensor var_x = (means[2] - mu_x * mu_x).clamp_min(0);
  const Tensor var_y = (means[3] - mu_y * mu_y).clamp_min(0);
  const Tensor cov = means[4] - mu_x * mu_y;
  const Tensor similarity =
      (2 * mu_x * mu_y + kC1) * (2 * cov + kC2) / ((mu_x * mu_x + mu_y * mu_y + kC1) * (var_x + var_y + kC2));
  return similarity.flatten(1).mean(1, /*keepdim=*/false, at::kDouble);
}

class Ssim : public Metric {
 public:
  using Metric::Metric;

  Tensor score(const Inputs& inputs) override {
    const Tensor &reference = inputs.reference, &test = inputs.test;
    check_pair(reference, test);
    const int64_t count = reference.size(0), height = reference.size(2), width = reference.size(3);
    const auto options = reference.options().dtype(at::kDouble);
    if (std::min(height, width) < kWindow) {
      if (!std::exchange(warned_, true)) {
        spdlog::warn("ssim: images of {}x{} are smaller than its 11x11 window; the column will be NaN", height, width);
      }
      return at::full({count}, std::nan(""), options);
    }
    // About twenty maps exist at once: 4 MiB each, except for a single large image.
    const Tensor window = gaussian_window(reference.device());
    const int64_t chunk = std::max<int64_t>(1, (int64_t{1} << 20) / (reference.size(1) * height * width));
    std::vector<Tensor> scores;
    for (int64_t from = 0; from < count; from += chunk) {
      const int64_t length = std::min(chunk, count - from);
      scores.push_back(mean_similarity(reference.narrow(0, from, length).to(at::kFloat),
                                       test.narrow(0, from, length).to(at::kFloat), window));
    }
    return scores.empty() ? at::empty({0}, options) : at::cat(scores);
  }

 private:
  bool warned_ = false;
};

const Registered<Metric, Ssim> ssim(
    {.name = "ssim",
     .label = "SSIM",
     .long_name =
         "structural similarity, Gaussian 11x11, sigma 1.5, K1 0.01, K2 0.03, data range 1, reflected borders, "
         "mean of the whole map; NaN below 11 pixels",
     .direction = Direction::kHigherIsBetter,
     .version = "1",
     .order = 6});

}  // namespace
}  // namespace roundtrip::metrics
