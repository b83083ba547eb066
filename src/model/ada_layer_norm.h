// Layer norms whose shift, scale and gate come from an embedding of the conditioning, and the feed-forward layer beside
// them (Peebles & Xie, "Scalable diffusion models with transformers", ICCV 2023, section 3.2, adaLN-Zero).
#pragma once

#include <cstdint>
#include <vector>

#include "model/layers.h"

namespace roundtrip::model {

// Shifts, scales and gates of a block: parts of one matrix product with silu(embedding), which the caller computes once
// for all blocks.
struct Modulation {
  Linear linear;
  int64_t parts = 0;

  Modulation(const WeightScope& weights, int64_t channels, int64_t parts);
  std::vector<Tensor> operator()(const Tensor& activated) const;  // [N, C] -> parts of [N, 1, C]
};

// norm(x) (1 + scale) + shift, by a layer norm without weights.
Tensor modulated(const Tensor& x, const Tensor& shift, const Tensor& scale, double eps = 1e-6);  // [N, T, C]

// x + gate y
Tensor add_gated(const Tensor& x, const Tensor& gate, const Tensor& y);  // [N, T, C]

// The last norm, diffusers' AdaLayerNormContinuous: its linear layer gives (scale, shift) in this order.
struct ContinuousNorm {
  Modulation modulation;

  ContinuousNorm(const WeightScope& weights, int64_t channels);
  Tensor operator()(const Tensor& x, const Tensor& activated) const;  // [N, T, C], [N, C]
};

// gelu (by tanh) between two linear layers, four times as wide inside.
struct FeedForward {
  Linear in, out;

  FeedForward(const WeightScope& weights, int64_t channels);
  Tensor operator()(const Tensor& x) const;  // [N, T, C]
};

}  // namespace roundtrip::model
