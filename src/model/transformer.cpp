#include "model/transformer.h"

#include <utility>

#include "model/attention_control.h"

namespace roundtrip::model {
namespace {

constexpr AttentionNames kNames{.q = "to_q", .k = "to_k", .v = "to_v", .out = "to_out.0"};
constexpr double kGroupNormEps = 1e-6;  // fixed in diffusers, whatever norm_eps says
constexpr double kLayerNormEps = 1e-5;

HeadShape heads_of(const TransformerShape& shape) {
  return {.heads = shape.heads, .channels = shape.channels / shape.heads};
}

std::variant<SelfAttention, CrossAttention> first_attention(const WeightScope& weights, const TransformerShape& shape) {
  if (shape.only_cross_attention) {
    return CrossAttention(weights, kNames, shape.channels, shape.context_channels, heads_of(shape));
  }
  return SelfAttention(weights, kNames, shape.channels, heads_of(shape), /*has_bias=*/false);
}

}  // namespace

GatedFeedForward::GatedFeedForward(const WeightScope& weights, int64_t channels)
    : out(weights / "net.2", 4 * channels, channels) {
  const Linear both(weights / "net.0.proj", channels, 8 * channels);
  value = both.outputs(0, 4 * channels);
  gate = both.outputs(4 * channels, 4 * channels);
}

Tensor GatedFeedForward::operator()(const Tensor& x) const { return out(multiply(gelu(gate(x)), value(x))); }

TransformerBlock::TransformerBlock(const WeightScope& weights, const TransformerShape& shape)
    : norm1(weights / "norm1", shape.channels, kLayerNormEps),
      norm2(weights / "norm2", shape.channels, kLayerNormEps),
      norm3(weights / "norm3", shape.channels, kLayerNormEps),
      attention1(first_attention(weights / "attn1", shape)),
      attention2(weights / "attn2", kNames, shape.channels, shape.context_channels, heads_of(shape)),
      feed_forward(weights / "ff", shape.channels) {}

Tensor TransformerBlock::operator()(Tensor&& x, const Tensor& context, AttentionControl* control) const {
  const Tensor normed = norm1(x);
  Tensor y = add(std::move(x), std::holds_alternative<SelfAttention>(attention1)
                                   ? std::get<SelfAttention>(attention1)(normed, control)
                                   : std::get<CrossAttention>(attention1)(normed, context, control));
  Tensor z = add(std::move(y), attention2(norm2(y), context, control));
  return add(std::move(z), feed_forward(norm3(z)));
}

SpatialTransformer::SpatialTransformer(const WeightScope& weights, const TransformerShape& shape)
    : norm(weights / "norm", shape.channels, shape.norm_groups, kGroupNormEps) {
  TransformerShape tokens = shape;
  tokens.channels = shape.heads * (shape.channels / shape.heads);
  in = Linear(weights / "proj_in", shape.channels, tokens.channels);
  out = Linear(weights / "proj_out", tokens.channels, shape.channels);
  for (int64_t b = 0; b < shape.depth; ++b) blocks.emplace_back(weights / "transformer_blocks" / b, tokens);
}

Tensor SpatialTransformer::operator()(const Tensor& x, const Tensor& context, AttentionControl* control) const {
  Tensor tokens = in(to_tokens(norm(x)));  // [N, h w, C]
  for (const TransformerBlock& block : blocks) {
    if (control) control->enter_block(x.size(2), x.size(3));
    tokens = block(std::move(tokens), context, control);
  }
  return add(to_picture(out(tokens), x.size(2), x.size(3)), x);
}

}  // namespace roundtrip::model
