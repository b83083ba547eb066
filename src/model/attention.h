// Multi-head attention softmax(q k^T / sqrt(d)) v (Vaswani et al., NeurIPS 2017, eq. 1) over tokens.
#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "model/layers.h"

namespace roundtrip::model {

enum class Mask { kNone, kCausal };

// q [N, T, heads d], k and v [N, S, heads d] -> [N, T, heads d]. `bias`, if any, is added to the logits.
Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads, Mask mask = Mask::kNone,
              const Tensor& bias = {});

class AttentionControl;

// Names of the projections below an attention's own name, as the writers of weights chose them.
struct AttentionNames {
  std::string_view q, k, v, out;
};

// Returns the names in weights that diffusers writes, or those from before its version 0.12.
AttentionNames attention_names(const WeightScope& weights);

struct HeadShape {
  int64_t heads = 1;
  int64_t channels = 0;  // per head; heads times this may be less than the tokens' channels
};

// Tokens attend to themselves; q, k and v come from one matrix product.
struct SelfAttention {
  Linear qkv, out;
  int64_t heads = 1;

  SelfAttention() = default;
  SelfAttention(const WeightScope& weights, const AttentionNames& names, int64_t channels, HeadShape shape,
                bool has_bias, Mask mask = Mask::kNone);

  // [N, T, C] -> [N, T, C]. `control` is of rows that plans link; null: none are.
  Tensor operator()(const Tensor& x, AttentionControl* control = nullptr) const;

 private:
  Mask mask_ = Mask::kNone;
};

// Tokens attend to a context of other tokens; k and v come from one matrix product.
struct CrossAttention {
  Linear q, kv, out;
  int64_t heads = 1;

  CrossAttention() = default;
  CrossAttention(const WeightScope& weights, const AttentionNames& names, int64_t channels, int64_t context_channels,
                 HeadShape shape);

  // [N, T, C], [N, L, D] -> [N, T, C].
  Tensor operator()(const Tensor& x, const Tensor& context, AttentionControl* control = nullptr) const;
};

}  // namespace roundtrip::model
