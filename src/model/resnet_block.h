// The residual block of UNets and autoencoders:
//   x -> shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x))) + time)))
// As diffusers' ResnetBlock2D without resampling.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/layers.h"
#include "model/time_embedding.h"

namespace roundtrip::model {

struct ResnetShape {
  int64_t in = 0, out = 0;  // channels
  int64_t norm_groups = 32;
  double norm_eps = 1e-5;
  bool time_scales = false;   // "scale_shift": norm2(h) (1 + scale) + shift, instead of norm2(h + shift)
  double output_divisor = 1;  // of the sum
};

class ResnetBlock {
 public:
  // `times` is null in networks without a timestep.
  ResnetBlock(const WeightScope& weights, const ResnetShape& shape, TimeProjections* times = nullptr);

  // x [N, in, h, w], what TimeProjections gave -> [N, out, h, w]
  Tensor operator()(const Tensor& x, const std::vector<Tensor>& times = {}) const;

 private:
  GroupNorm norm1_, norm2_;
  Conv2d conv1_, conv2_;
  std::optional<Conv2d> shortcut_;
  std::optional<size_t> time_slot_;
  bool time_scales_;
  double output_divisor_;
};

}  // namespace roundtrip::model
