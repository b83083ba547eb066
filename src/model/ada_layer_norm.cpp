#include "model/ada_layer_norm.h"

namespace roundtrip::model {

Modulation::Modulation(const WeightScope& weights, int64_t channels, int64_t parts)
    : linear(weights / "linear", channels, parts * channels), parts(parts) {}

std::vector<Tensor> Modulation::operator()(const Tensor& activated) const {
  return linear(activated).unsqueeze(1).chunk(parts, 2);
}

Tensor modulated(const Tensor& x, const Tensor& shift, const Tensor& scale, double eps) {
  return at::addcmul(shift, at::layer_norm(x, {x.size(-1)}, {}, {}, eps), 1 + scale);
}

Tensor add_gated(const Tensor& x, const Tensor& gate, const Tensor& y) { return at::addcmul(x, gate, y); }

ContinuousNorm::ContinuousNorm(const WeightScope& weights, int64_t channels) : modulation(weights, channels, 2) {}

Tensor ContinuousNorm::operator()(const Tensor& x, const Tensor& activated) const {
  const std::vector<Tensor> parts = modulation(activated);
  return modulated(x, parts[1], parts[0]);
}

FeedForward::FeedForward(const WeightScope& weights, int64_t channels)
    : in(weights / "net.0.proj", channels, 4 * channels), out(weights / "net.2", 4 * channels, channels) {}

Tensor FeedForward::operator()(const Tensor& x) const { return out(gelu_tanh(in(x))); }

}  // namespace roundtrip::model
