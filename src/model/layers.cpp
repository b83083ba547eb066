#include "model/layers.h"

#include <utility>

#include <c10/core/GradMode.h>

namespace roundtrip::model {
namespace {

bool may_overwrite() { return !c10::GradMode::is_enabled(); }

}  // namespace

Linear::Linear(const WeightScope& weights, int64_t in, int64_t out, bool has_bias)
    : weight(weights.matrix("weight", out, in)) {
  if (has_bias) bias = weights.tensor("bias", {out});
}

Linear Linear::outputs(int64_t from, int64_t count) const {
  Linear part;
  part.weight = weight.narrow(0, from, count);
  if (bias.defined()) part.bias = bias.narrow(0, from, count);
  return part;
}

Linear Linear::concatenated(const std::vector<Linear>& parts) {
  std::vector<Tensor> weights, biases;
  for (const Linear& part : parts) {
    weights.push_back(part.weight);
    if (part.bias.defined()) biases.push_back(part.bias);
  }
  Linear all;
  all.weight = at::cat(weights);
  if (!biases.empty()) all.bias = at::cat(biases);
  return all;
}

Tensor Linear::operator()(const Tensor& x) const { return at::linear(x, weight, bias); }

Conv2d::Conv2d(const WeightScope& weights, int64_t in, int64_t out, Window window)
    : weight(weights.tensor("weight", {out, in, window.kernel, window.kernel}, at::MemoryFormat::ChannelsLast)),
      bias(weights.tensor("bias", {out})),
      window(window) {}

Tensor Conv2d::operator()(const Tensor& x) const { return at::conv2d(x, weight, bias, window.stride, window.padding); }

GroupNorm::GroupNorm(const WeightScope& weights, int64_t channels, int64_t groups, double eps)
    : weight(weights.tensor("weight", {channels})),
      bias(weights.tensor("bias", {channels})),
      groups(groups),
      eps(eps) {}

Tensor GroupNorm::operator()(const Tensor& x) const { return at::group_norm(x, groups, weight, bias, eps); }

LayerNorm::LayerNorm(const WeightScope& weights, int64_t channels, double eps)
    : weight(weights.tensor("weight", {channels})), bias(weights.tensor("bias", {channels})), eps(eps) {}

Tensor LayerNorm::operator()(const Tensor& x) const { return at::layer_norm(x, weight.sizes(), weight, bias, eps); }

RmsNorm::RmsNorm(const WeightScope& weights, int64_t channels, double eps)
    : weight(weights.tensor("weight", {channels})), eps(eps) {}

Tensor RmsNorm::operator()(const Tensor& x) const {
  const Tensor wide = x.to(at::promote_types(x.scalar_type(), at::kFloat));
  const Tensor scale = at::rsqrt(wide.square().mean(-1, true) + eps);
  return (wide * scale).to(x.scalar_type()) * weight;
}

Tensor silu(Tensor&& x) { return may_overwrite() ? at::silu_(x) : at::silu(x); }

Tensor gelu(Tensor&& x) { return may_overwrite() ? at::gelu_(x) : at::gelu(x); }

Tensor gelu_tanh(Tensor&& x) { return may_overwrite() ? at::gelu_(x, "tanh") : at::gelu(x, "tanh"); }

Tensor quick_gelu(const Tensor& x) { return x * at::sigmoid(x * 1.702); }

Tensor add(Tensor&& x, const Tensor& y) { return may_overwrite() ? x.add_(y) : x + y; }

Tensor multiply(Tensor&& x, const Tensor& y) { return may_overwrite() ? x.mul_(y) : x * y; }

Tensor upsample_nearest(const Tensor& x, at::IntArrayRef size) { return at::upsample_nearest2d(x, size); }

Tensor to_tokens(const Tensor& picture) { return picture.permute({0, 2, 3, 1}).flatten(1, 2); }

Tensor to_picture(const Tensor& tokens, int64_t height, int64_t width) {
  return tokens.unflatten(1, {height, width}).permute({0, 3, 1, 2});
}

}  // namespace roundtrip::model
