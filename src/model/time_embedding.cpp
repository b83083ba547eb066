#include "model/time_embedding.h"

#include <cmath>
#include <utility>

#include "base/error.h"

namespace roundtrip::model {

Tensor Sinusoids::operator()(const Tensor& t) const {
  const int64_t half = channels / 2;
  const at::TensorOptions options = at::dtype(at::kFloat).device(t.device());
  // float32 throughout, as in the training of these networks: at t = 999 it differs from float64 by 1e-5.
  const Tensor exponents = at::arange(half, options) * (-std::log(10000.0)) / (half - frequency_shift);
  const Tensor angles = t.to(at::kFloat).unsqueeze(1) * at::exp(exponents).unsqueeze(0);  // [N, half]
  Tensor waves =
      cosine_first ? at::cat({at::cos(angles), at::sin(angles)}, 1) : at::cat({at::sin(angles), at::cos(angles)}, 1);
  return channels % 2 == 0 ? waves : at::constant_pad_nd(waves, {0, 1});
}

EmbeddingLayers::EmbeddingLayers(const WeightScope& weights, int64_t in, int64_t out, Activation activation,
                                 std::optional<Activation> last)
    : linear1(weights / "linear_1", in, out),
      linear2(weights / "linear_2", out, out),
      activation(activation),
      last(last) {}

Tensor EmbeddingLayers::operator()(const Tensor& x) const {
  Tensor embedding = linear2(activate(activation, linear1(x.to(linear1.weight.scalar_type()))));
  return last ? activate(*last, std::move(embedding)) : embedding;
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
  const Tensor all = all_(activate(activation_, std::move(embedding)));  // [N, sum of widths]
  return all.unsqueeze(-1).unsqueeze(-1).split_with_sizes(widths_, 1);
}

}  // namespace roundtrip::model
