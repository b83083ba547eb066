// The transformer of a UNet's cross-attention blocks (Rombach et al., CVPR 2022, appendix E.2.1): a picture's
// pixels as tokens, each block with self-attention, attention to the text and a gated feed-forward layer, all
// with residuals.
//
// As diffusers' Transformer2DModel with continuous inputs. Not here: adaptive norms, GLIGEN's gated layers,
// masks.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "model/attention.h"
#include "model/layers.h"

namespace roundtrip::model {

struct TransformerShape {
  int64_t channels = 0;          // of the picture
  int64_t heads = 1;             // each of channels / heads: the tokens are as wide as all heads together
  int64_t context_channels = 0;  // of the text's tokens
  int64_t depth = 1;             // blocks
  int64_t norm_groups = 32;
  bool only_cross_attention = false;  // the first attention looks at the text, too
};

// GEGLU (Shazeer, "GLU variants improve transformer", 2020): (x W + b) gelu(x V + c), then a projection back.
struct GatedFeedForward {
  Linear value, gate,
      out;  // one matrix in the weights: halves of its product would be strided, and slow to go through

  GatedFeedForward(const WeightScope& weights, int64_t channels);
  Tensor operator()(const Tensor& x) const;  // [N, T, C]
};

struct TransformerBlock {
  LayerNorm norm1, norm2, norm3;
  std::variant<SelfAttention, CrossAttention> attention1;
  CrossAttention attention2;
  GatedFeedForward feed_forward;

  TransformerBlock(const WeightScope& weights, const TransformerShape& shape);
  Tensor operator()(Tensor&& x, const Tensor& context) const;  // [N, T, C], [N, L, D] -> [N, T, C]
};

struct SpatialTransformer {
  GroupNorm norm;
  Linear in, out;
  std::vector<TransformerBlock> blocks;

  SpatialTransformer(const WeightScope& weights, const TransformerShape& shape);
  Tensor operator()(const Tensor& x, const Tensor& context) const;  // [N, C, h, w], [N, L, D] -> [N, C, h, w]
};

}  // namespace roundtrip::model
