// Layers that all networks here consist of, each bound to its weights by name when it is built.
//
// Weights never require gradients; inputs may. Pictures [N, C, h, w] are stored as channels_last. Convolutions prefer
// it on every device, and the tokens [N, h w, C] of attention share its memory.
//
// A function that takes `Tensor&&` may write its result over that argument, and does so if no gradient is recorded.
// Pass only a tensor that nobody else holds.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "model/weight_scope.h"

namespace roundtrip::model {

using at::Tensor;

// y = x W^T + b
struct Linear {
  Tensor weight;  // [out, in]
  Tensor bias;    // [out], or undefined

  Linear() = default;
  Linear(const WeightScope& weights, int64_t in, int64_t out, bool has_bias = true);

  // Returns the layer that computes outputs [from, from + count) of this one.
  Linear outputs(int64_t from, int64_t count) const;

  // Joins `parts` into one layer that gives their outputs in sequence: a single matrix product for many.
  static Linear concatenated(const std::vector<Linear>& parts);

  Tensor operator()(const Tensor& x) const;  // [..., in] -> [..., out]
};

struct Conv2d {
  struct Window {
    int64_t kernel = 3, stride = 1, padding = 1;
  };

  Tensor weight;  // [out, in, k, k]
  Tensor bias;    // [out]
  Window window;

  Conv2d() = default;
  Conv2d(const WeightScope& weights, int64_t in, int64_t out, Window window);

  Tensor operator()(const Tensor& x) const;  // [N, in, h, w] -> [N, out, h', w']
};

struct GroupNorm {
  Tensor weight, bias;  // [C]
  int64_t groups = 1;
  double eps = 1e-5;

  GroupNorm() = default;
  GroupNorm(const WeightScope& weights, int64_t channels, int64_t groups, double eps);

  Tensor operator()(const Tensor& x) const;  // [N, C, h, w]
};

struct LayerNorm {
  Tensor weight, bias;  // [C]
  double eps = 1e-5;

  LayerNorm() = default;
  LayerNorm(const WeightScope& weights, int64_t channels, double eps);

  Tensor operator()(const Tensor& x) const;  // [..., C]
};

// y = x / sqrt(mean(x^2) + eps) * weight, the mean in float32 at least (Zhang & Sennrich, NeurIPS 2019).
struct RmsNorm {
  Tensor weight;  // [C]
  double eps = 1e-6;

  RmsNorm() = default;
  RmsNorm(const WeightScope& weights, int64_t channels, double eps);

  Tensor operator()(const Tensor& x) const;  // [..., C]
};

Tensor silu(Tensor&& x);                                         // x sigmoid(x)
Tensor gelu(Tensor&& x);                                         // x Phi(x)
Tensor gelu_tanh(Tensor&& x);                                    // its approximation by tanh (Hendrycks & Gimpel, 2016)
Tensor quick_gelu(const Tensor& x);                              // x sigmoid(1.702 x)
Tensor add(Tensor&& x, const Tensor& y);                         // x + y
Tensor multiply(Tensor&& x, const Tensor& y);                    // x y
Tensor upsample_nearest(const Tensor& x, at::IntArrayRef size);  // [N, C, h, w] -> [N, C, size]

// Convert a picture's pixels to tokens, row by row, and back. They return views if the picture is channels_last.
Tensor to_tokens(const Tensor& picture);                                 // [N, C, h, w] -> [N, h w, C]
Tensor to_picture(const Tensor& tokens, int64_t height, int64_t width);  // [N, h w, C] -> [N, C, h, w]

}  // namespace roundtrip::model
