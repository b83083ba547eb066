#include "model/time_embedding.h"

#include <cmath>
#include <utility>

#include "base/error.h"

namespace roundtrip::model {

Tensor Sinusoids::operator()(const Tensor& t) const {
  const int64_t half = channels / 2;
  const at::TensorOptions options = at::dtype(at::kFloat).device(t.device());
  // float32 throughout, as these networks saw it in training: at t = 999 it differs from float64 by 1e-5.
  const Tensor exponents = at::arange(half, options) * (-std::log(10000.0)) / (half - frequency_shift);
  const Tensor angles = t.to(at::kFloat).unsqueeze(1) * at::exp(exponents).unsqueeze(0);  // [N, half]
  Tensor waves =
      cosine_first ? at::cat({at::cos(angles), at::sin(angles)}, 1) : at::cat({at::sin(angles), at::cos(angles)}, 1);
  return channels % 2 == 0 ? waves : at::constant_pad_nd(waves, {0, 1});
}

TimeEmbedding::TimeEmbedding(const WeightScope& weights, Sinusoids sinusoids, int64_t channels)
    : sinusoids(sinusoids),
      linear1(weights / "linear_1", sinusoids.channels, channels),
      linear2(weights / "linear_2", channels, channels) {}

Tensor TimeEmbedding::operator()(const Tensor& t) const {
  return linear2(silu(linear1(sinusoids(t).to(linear1.weight.scalar_type()))));
}

size_t TimeProjections::add(const WeightScope& weights, int64_t out) {
  parts_.emplace_back(weights, embedding_channels_, out);
  widths_.push_back(out);
  return parts_.size() - 1;
}

void TimeProjections::finish() {
  check(!parts_.empty(), "a network has residual blocks");
  all_ = Linear::concatenated(parts_);
  parts_.clear();
}

std::vector<Tensor> TimeProjections::operator()(Tensor&& embedding) const {
  const Tensor all = all_(silu(std::move(embedding)));  // [N, sum of widths]
  return all.unsqueeze(-1).unsqueeze(-1).split_with_sizes(widths_, 1);
}

}  // namespace roundtrip::model
