#include "metrics/mse.h"

#include <array>
#include <numeric>

#include <ATen/Parallel.h>

#include "metrics/metric.h"

namespace roundtrip::metrics {

namespace {

constexpr int64_t kSums = 8;  // added side by side: one after another, each addition would wait for the last

double squared(float a, float b) {
  const double difference = static_cast<double>(a) - static_cast<double>(b);
  return difference * difference;
}

// [N, C, H, W] float32 twice, on the CPU -> [N] float64, without a copy of the pictures in float64.
Tensor mean_squared_error_of_floats(const Tensor& reference, const Tensor& test) {
  const Tensor x = reference.contiguous(), y = test.contiguous();
  const int64_t count = x.size(0), length = count == 0 ? 0 : x.numel() / count;
  Tensor errors = at::empty({count}, x.options().dtype(at::kDouble));
  const float *first = x.const_data_ptr<float>(), *second = y.const_data_ptr<float>();
  double* out = errors.mutable_data_ptr<double>();
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const float *a = first + n * length, *b = second + n * length;
      std::array<double, kSums> sums = {};
      int64_t j = 0;
      for (; j + kSums <= length; j += kSums) {
        for (int64_t k = 0; k < kSums; ++k) sums[k] += squared(a[j + k], b[j + k]);
      }
      for (; j < length; ++j) sums[0] += squared(a[j], b[j]);
      out[n] = std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(length);
    }
  });
  return errors;
}

}  // namespace

Tensor mean_squared_error(const Tensor& reference, const Tensor& test) {
  check_pair(reference, test);
  const auto is_float = [](const Tensor& pictures) {
    return pictures.is_cpu() && pictures.scalar_type() == at::kFloat && !pictures.requires_grad();
  };
  if (is_float(reference) && is_float(test)) return mean_squared_error_of_floats(reference, test);
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
