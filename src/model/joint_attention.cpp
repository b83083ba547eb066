#include "model/joint_attention.h"

namespace roundtrip::model {
namespace {

constexpr double kNormEps = 1e-6;

}  // namespace

HeadProjections::HeadProjections(const WeightScope& weights, const Names& names, int64_t channels, HeadShape shape,
                                 bool normed, bool has_bias)
    : shape(shape) {
  const int64_t inner = shape.heads * shape.channels;
  qkv = Linear::concatenated({Linear(weights / names.q, channels, inner, has_bias),
                              Linear(weights / names.k, channels, inner, has_bias),
                              Linear(weights / names.v, channels, inner, has_bias)});
  if (!normed) return;
  norm_q.emplace(weights / names.norm_q, shape.channels, kNormEps);
  norm_k.emplace(weights / names.norm_k, shape.channels, kNormEps);
}

HeadProjections::Heads HeadProjections::operator()(const Tensor& x) const {
  const std::vector<Tensor> parts = qkv(x).unflatten(2, {3, shape.heads, shape.channels}).unbind(2);
  return {norm_q ? (*norm_q)(parts[0]) : parts[0], norm_k ? (*norm_k)(parts[1]) : parts[1], parts[2]};
}

Tensor attend(HeadProjections::Heads heads, const RotaryEmbedding* rotation, const Tensor& bias) {
  if (rotation) {
    heads.q = (*rotation)(heads.q);
    heads.k = (*rotation)(heads.k);
  }
  const std::optional<Tensor> added = bias.defined() ? std::optional(bias.view({1, 1, 1, -1})) : std::nullopt;
  return at::scaled_dot_product_attention(heads.q.transpose(1, 2), heads.k.transpose(1, 2), heads.v.transpose(1, 2),
                                          added)
      .transpose(1, 2)
      .flatten(2);
}

NormedSelfAttention::NormedSelfAttention(const WeightScope& weights, int64_t channels, HeadShape shape, bool normed)
    : projections(weights, kPictureNames, channels, shape, normed),
      out(weights / "to_out.0", shape.heads * shape.channels, channels) {}

Tensor NormedSelfAttention::operator()(const Tensor& x) const { return out(attend(projections(x))); }

JointAttention::JointAttention(const WeightScope& weights, int64_t channels, HeadShape shape, bool normed, bool is_last)
    : picture(weights, kPictureNames, channels, shape, normed),
      text(weights, kTextNames, channels, shape, normed),
      picture_out(weights / "to_out.0", shape.heads * shape.channels, channels) {
  if (!is_last) text_out.emplace(weights / "to_add_out", shape.heads * shape.channels, channels);
}

std::pair<Tensor, Tensor> JointAttention::operator()(const Tensor& x, const Tensor& context,
                                                     const RotaryEmbedding* rotation, const Tensor& bias) const {
  const HeadProjections::Heads own = picture(x), texts = text(context);
  const Tensor attended = attend(
      {at::cat({texts.q, own.q}, 1), at::cat({texts.k, own.k}, 1), at::cat({texts.v, own.v}, 1)}, rotation, bias);
  const int64_t L = context.size(1);
  return {picture_out(attended.narrow(1, L, x.size(1))), text_out ? (*text_out)(attended.narrow(1, 0, L)) : Tensor()};
}

}  // namespace roundtrip::model
