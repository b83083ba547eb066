// psnr = 10 log10(1 / mse): data range 1, the mean over channels and pixels taken before the logarithm.
//
// It is +inf for equal images; the analysis takes means over samples and counts such images apart.
#include "metrics/metric.h"
#include "metrics/mse.h"

namespace roundtrip::metrics {
namespace {

class Psnr : public Metric {
 public:
  using Metric::Metric;

  Tensor score(const Inputs& inputs) override {
    return peak_signal_to_noise(mean_squared_error(inputs.reference, inputs.test));
  }

  Tensor score_where(const Tensor& reference, const Tensor& test, const Tensor& counts) override {
    return peak_signal_to_noise(mean_squared_error(reference, test, counts));
  }
};

const Registered<Metric, Psnr> psnr({.name = "psnr",
                                     .label = "PSNR",
                                     .units = "dB",
                                     .long_name = "peak signal-to-noise ratio, data range 1, +inf for equal images",
                                     .direction = Direction::kHigherIsBetter,
                                     .version = "1",
                                     .digits = 2,
                                     .has_floor = true,
                                     .background = Background::kPixels,
                                     .order = 1});

}  // namespace
}  // namespace roundtrip::metrics
