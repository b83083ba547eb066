// Pictures as tokens of p x p pixels (Dosovitskiy et al., ICLR 2021), and their positions.
#pragma once

#include <cstdint>

#include "model/layers.h"

namespace roundtrip::model {

// Tokens in row order; each has the channels of its pixels as (row, column, channel), which is how SD3 and DiT write
// their last layer.
Tensor from_patches(const Tensor& tokens, int64_t h, int64_t w,
                    int64_t patch);  // [N, h w / p^2, p^2 C] -> [N, C, h, w]

// Each token with its channels as (channel, row, column), FLUX's packing, and back.
Tensor packed(const Tensor& picture);                         // [N, C, h, w] -> [N, h w / 4, 4 C]
Tensor unpacked(const Tensor& tokens, int64_t h, int64_t w);  // [N, h w / 4, 4 C] -> [N, C, h, w]

// The convolution that makes a token of every patch.
struct PatchEmbedding {
  Conv2d projection;

  PatchEmbedding(const WeightScope& weights, int64_t in, int64_t channels, int64_t patch);
  Tensor operator()(const Tensor& picture) const;  // [N, in, h, w] -> [N, h w / p^2, C]
};

// Sines and cosines of the column, then of the row, of h x w tokens, on the scale of a table of `base` tokens a side:
// what diffusers computes for networks that store no table, in float64 rounded to float32.
Tensor sincos_positions(int64_t channels, int64_t h, int64_t w, int64_t base, at::Device device);  // [h w, C]

}  // namespace roundtrip::model
