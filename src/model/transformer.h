// Transformer of a UNet's cross-attention blocks (Rombach et al., CVPR 2022, appendix E.2.1). It takes a picture's
// pixels as tokens. Each block has self-attention, attention to the text and a gated feed-forward layer, all with
// residuals.
//
// It follows diffusers' Transformer2DModel with continuous inputs. Not implemented: adaptive norms, GLIGEN's gated
// layers, masks.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "model/attention.h"
#include "model/layers.h"

namespace roundtrip::model {

struct TransformerShape {
  int64_t channels = 0;          // of the picture
  int64_t heads = 1;             // channels / heads each; the tokens are as wide as all heads together
  int64_t context_channels = 0;  // of the text's tokens
  int64_t depth = 1;             // blocks
  int64_t norm_groups = 32;
  bool only_cross_attention = false;  // the first attention attends to the text, like the second
};

// GEGLU layer (Shazeer, "GLU variants improve transformer", 2020): (x W + b) gelu(x V + c), followed by a projection.
struct GatedFeedForward {
  Linear value, gate,
      out;  // one matrix in the weights; halves of its product would be strided and slow to read

  GatedFeedForward(const WeightScope& weights, int64_t channels);
  Tensor operator()(const Tensor& x) const;  // [N, T, C]
};

struct TransformerBlock {
  LayerNorm norm1, norm2, norm3;
  std::variant<SelfAttention, CrossAttention> attention1;
  CrossAttention attention2;
  GatedFeedForward feed_forward;

  TransformerBlock(const WeightScope& weights, const TransformerShape& shape);
  // [N, T, C], [N, L, D] -> [N, T, C].
  Tensor operator()(Tensor&& x, const Tensor& context, AttentionControl* control) const;
};

struct SpatialTransformer {
  GroupNorm norm;
  Linear in, out;
  std::vector<TransformerBlock> blocks;

  SpatialTransformer(const WeightScope& weights, const TransformerShape& shape);
  // [N, C, h, w], [N, L, D] -> [N, C, h, w].
  Tensor operator()(const Tensor& x, const Tensor& context, AttentionControl* control) const;
};

}  // namespace roundtrip::model
