#include "model/attention.h"

#include <optional>

#include "model/attention_control.h"

namespace roundtrip::model {
namespace {

Tensor split_heads(const Tensor& x, int64_t heads) {
  return x.unflatten(2, {heads, x.size(2) / heads}).transpose(1, 2);  // [N, heads, T, d]
}

}  // namespace

Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads, Mask mask, const Tensor& bias) {
  const std::optional<Tensor> added = bias.defined() ? std::optional(bias) : std::nullopt;
  const Tensor attended =
      at::scaled_dot_product_attention(split_heads(q, heads), split_heads(k, heads), split_heads(v, heads), added,
                                       /*dropout_p=*/0.0, /*is_causal=*/mask == Mask::kCausal);
  return attended.transpose(1, 2).flatten(2);
}

AttentionNames attention_names(const WeightScope& weights) {
  if (weights.contains("query.weight")) return {.q = "query", .k = "key", .v = "value", .out = "proj_attn"};
  return {.q = "to_q", .k = "to_k", .v = "to_v", .out = "to_out.0"};
}

SelfAttention::SelfAttention(const WeightScope& weights, const AttentionNames& names, int64_t channels, HeadShape shape,
                             bool has_bias, Mask mask)
    : heads(shape.heads), mask_(mask) {
  const int64_t inner = shape.heads * shape.channels;
  qkv = Linear::concatenated({Linear(weights / names.q, channels, inner, has_bias),
                              Linear(weights / names.k, channels, inner, has_bias),
                              Linear(weights / names.v, channels, inner, has_bias)});
  out = Linear(weights / names.out, inner, channels);
}

Tensor SelfAttention::operator()(const Tensor& x, AttentionControl* control) const {
  if (control) return out(control->self_attention(qkv(x), heads));
  const std::vector<Tensor> parts = qkv(x).chunk(3, 2);
  return out(attend(parts[0], parts[1], parts[2], heads, mask_));
}

CrossAttention::CrossAttention(const WeightScope& weights, const AttentionNames& names, int64_t channels,
                               int64_t context_channels, HeadShape shape)
    : heads(shape.heads) {
  const int64_t inner = shape.heads * shape.channels;
  q = Linear(weights / names.q, channels, inner, false);
  kv = Linear::concatenated({Linear(weights / names.k, context_channels, inner, false),
                             Linear(weights / names.v, context_channels, inner, false)});
  out = Linear(weights / names.out, inner, channels);
}

Tensor CrossAttention::operator()(const Tensor& x, const Tensor& context, AttentionControl* control) const {
  if (control) return out(control->cross_attention(q(x), kv(context), heads));
  const std::vector<Tensor> parts = kv(context).chunk(2, 2);
  return out(attend(q(x), parts[0], parts[1], heads));
}

}  // namespace roundtrip::model
