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
  using Metric::Metric;

  Tensor score(const Inputs& inputs) override { return mean_squared_error(inputs.reference, inputs.test); }

  Tensor score_where(const Tensor& reference, const Tensor& test, const Tensor& counts) override {
    return mean_squared_error(reference, test, counts);
  }
};

const Registered<Metric, Mse> mse({.name = "mse",
                                   .label = "MSE",
                                   .long_name = "mean squared error over channels and pixels, data range 1",
                                   .version = "1",
                                   .digits = 5,
                                   .log_axis = true,
                                   .background = Background::kPixels,
                                   .order = 8});

}  // namespace
}  // namespace roundtrip::metrics
