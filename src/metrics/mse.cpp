#include "metrics/mse.h"

#include "metrics/metric.h"

namespace roundtrip::metrics {

Tensor mean_squared_error(const Tensor& reference, const Tensor& test) {
  check_pair(reference, test);
  return (reference.to(at::kDouble) - test.to(at::kDouble)).square().flatten(1).mean(1);
}

Tensor mean_squared_error(const Tensor& reference, const Tensor& test, const Tensor& counts) {
  check_pair(reference, test);
  const Tensor error = (reference.to(at::kDouble) - test.to(at::kDouble)).square().mean(1, /*keepdim=*/true);
  const Tensor counted = error.where(counts, at::zeros({}, error.options()));
  return counted.flatten(1).sum(1) / counts.flatten(1).sum(1);
}

Tensor peak_signal_to_noise(const Tensor& squared_error) { return -10 * squared_error.log10(); }

namespace {

class Mse : public Metric {
 public:
  const MetricInfo& info() const override {
    static const MetricInfo info{.name = "mse",
                                 .units = "",
                                 .long_name = "mean squared error over channels and pixels, data range 1",
                                 .direction = Direction::kLowerIsBetter,
                                 .version = "1",
                                 .on_latents = false};
    return info;
  }

  Tensor score(const Tensor& reference, const Tensor& test) override { return mean_squared_error(reference, test); }
};

const MetricRegistration registration{"mse", [](const MetricOptions&) { return std::make_unique<Mse>(); }};

}  // namespace
}  // namespace roundtrip::metrics
