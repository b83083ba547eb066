// ssim: Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 2004, one
// channel at a time, as in torchmetrics (ssim_map.h): the mean of the map over channels and pixels.
//
// With `border: kept` the map covers every pixel, its borders reflected, as in torchmetrics since September 2024. With
// `border: cropped` it covers only pixels whose window lies inside the picture: scikit-image's gaussian SSIM, and
// torchmetrics before that, by which PIE-Bench's tables were made.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "metrics/metric.h"
#include "metrics/ssim_map.h"

namespace roundtrip::metrics {
namespace {

constexpr const char* kDefinition = "structural similarity, Gaussian 11x11, sigma 1.5, K1 0.01, K2 0.03, data range 1";

class Ssim : public Metric {
 public:
  Ssim(const MetricInfo& info, const config::Params& params, at::Device) : Metric(info) {
    cropped_ = params.get_string_or("border", "kept", {"kept", "cropped"}) == "cropped";
    if (!cropped_) return;
    info_.long_name =
        fmt::format("{}, mean of the map without its border of 5 pixels; NaN below 11 pixels", kDefinition);
    info_.version += ", border cropped";
  }

  Tensor score(const Inputs& inputs) override {
    return in_parts(inputs.reference, inputs.test, [&](const Tensor& map, int64_t) {
      return within(map).flatten(1).mean(1, /*keepdim=*/false, at::kDouble);
    });
  }

  // Counts the windows that have no pixel of the edited region: an edit moves the similarity 5 pixels around it.
  Tensor score_where(const Tensor& reference, const Tensor& test, const Tensor& counts) override {
    const Tensor edited = counts.logical_not().to(at::kFloat);
    const Tensor touched = at::max_pool2d(edited, kSsimWindow, /*stride=*/1, /*padding=*/kSsimReach);
    const Tensor clear = within(touched == 0);  // [N, 1, H, W]
    return in_parts(reference, test, [&](const Tensor& map, int64_t from) {
      const Tensor here = clear.narrow(0, from, map.size(0)), zero = at::zeros({}, map.options());
      const Tensor sum = within(map).where(here, zero).flatten(1).sum(1, /*keepdim=*/false, at::kDouble);
      return sum / (map.size(1) * here.flatten(1).sum(1));
    });
  }

 private:
  // Maps of some pairs at a time, [n, C, H, W] each from pair `from` on; `scored` returns their scores [n].
  template <typename Scored>
  Tensor in_parts(const Tensor& reference, const Tensor& test, Scored scored) {
    check_pair(reference, test);
    const int64_t count = reference.size(0), height = reference.size(2), width = reference.size(3);
    const auto options = reference.options().dtype(at::kDouble);
    if (std::min(height, width) < kSsimWindow) {
      if (!std::exchange(warned_, true)) {
        spdlog::warn("ssim: images of {}x{} are smaller than its 11x11 window; the column will be NaN", height, width);
      }
      return at::full({count}, std::nan(""), options);
    }
    // A map takes 4 MiB at most, except for a single large picture.
    const int64_t part = std::max<int64_t>(1, (int64_t{1} << 20) / (reference.size(1) * height * width));
    std::vector<Tensor> scores = {at::empty({0}, options)};
    for (int64_t from = 0; from < count; from += part) {
      const int64_t length = std::min(part, count - from);
      const Tensor map =
          ssim_map(reference.narrow(0, from, length).to(at::kFloat), test.narrow(0, from, length).to(at::kFloat));
      scores.push_back(scored(map, from));
    }
    return at::cat(scores);
  }

  // The part of a map [N, C, H, W] that counts.
  Tensor within(const Tensor& map) const {
    if (!cropped_) return map;
    return map.slice(2, kSsimReach, map.size(2) - kSsimReach).slice(3, kSsimReach, map.size(3) - kSsimReach);
  }

  bool cropped_ = false, warned_ = false;
};

const Registered<Metric, Ssim> ssim(
    {.name = "ssim",
     .label = "SSIM",
     .long_name = fmt::format("{}, reflected borders, mean of the whole map; NaN below 11 pixels", kDefinition),
     .direction = Direction::kHigherIsBetter,
     .version = "1",
     .background = Background::kPixels,
     .order = 6});

}  // namespace
}  // namespace roundtrip::metrics
