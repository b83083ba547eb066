// Self-attention over a picture's pixels with a residual, x -> (x + attention(norm(x))) / divisor, as in unconditional
// UNets and autoencoders (Ho et al., NeurIPS 2020, appendix B).
//
// It follows diffusers' Attention where that replaces the older AttentionBlock: projections with biases, keys under
// their new or old names.
#pragma once

#include <cstdint>
#include <optional>

#include "model/attention.h"
#include "model/layers.h"

namespace roundtrip::model {

struct AttentionBlockShape {
  int64_t channels = 0;
  int64_t head_channels = 0;           // channels / head_channels heads, rounded down
  std::optional<int64_t> norm_groups;  // none: no norm
  double norm_eps = 1e-6;
  double output_divisor = 1;
};

class AttentionBlock {
 public:
  AttentionBlock(const WeightScope& weights, const AttentionBlockShape& shape);
  Tensor operator()(const Tensor& x) const;  // [N, C, h, w]

 private:
  std::optional<GroupNorm> norm_;
  SelfAttention attention_;
  double output_divisor_;
};

}  // namespace roundtrip::model
