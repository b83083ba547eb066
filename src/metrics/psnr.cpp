// psnr = 10 log10(1 / mse): data range 1, the mean over channels and pixels taken before the logarithm.
//
// +inf for equal images; means over samples are the analysis' business, which counts those apart.
#include "metrics/metric.h"
#include "metrics/mse.h"

namespace roundtrip::metrics {
namespace {

class Psnr : public Metric {
 public:
  const MetricInfo& info() const override {
    static const MetricInfo info{.name = "psnr",
                                 .units = "dB",
                                 .long_name = "peak signal-to-noise ratio, data range 1, +inf for equal images",
                                 .direction = Direction::kHigherIsBetter,
                                 .version = "1",
                                 .on_latents = false};
    return info;
  }

  Tensor score(const Tensor& reference, const Tensor& test) override {
    return peak_signal_to_noise(mean_squared_error(reference, test));
  }
};

const MetricRegistration registration{"psnr", [](const MetricOptions&) { return std::make_unique<Psnr>(); }};

}  // namespace
}  // namespace roundtrip::metrics
