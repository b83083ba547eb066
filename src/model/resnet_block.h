// The residual block of UNets and autoencoders:
//   x -> shortcut(r(x)) + conv2(act(norm2(conv1(r(act(norm1(x)))) + time)))
// r changes the resolution in blocks that resample and does nothing in the others. As in diffusers' ResnetBlock2D. Not
// implemented: FIR kernels, norms conditioned on space.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/activation.h"
#include "model/layers.h"
#include "model/row_copies.h"
#include "model/time_embedding.h"

namespace roundtrip::model {

enum class Resample {
  kNone,
  kHalve,    // the mean of 2 x 2 pixels
  kEnlarge,  // the nearest pixel
};

struct ResnetShape {
  int64_t in = 0, out = 0;  // channels
  int64_t norm_groups = 32;
  double norm_eps = 1e-5;
  Activation activation = Activation::kSilu;
  bool time_scales = false;   // "scale_shift": norm2(h) (1 + scale) + shift, instead of norm2(h + shift)
  double output_divisor = 1;  // of the sum
  Resample resample = Resample::kNone;
};

class ResnetBlock {
 public:
  // `times` is null in networks without a timestep.
  ResnetBlock(const WeightScope& weights, const ResnetShape& shape, TimeProjections* times = nullptr);

  // x [N, in, h, w] and the output of TimeProjections -> [N, out, h', w']; `enlarge_to` is [h', w'] of a block that
  // enlarges. `grafts`: rows whose residual branch is another row's.
  Tensor operator()(const Tensor& x, const std::vector<Tensor>& times = {}, at::IntArrayRef enlarge_to = {},
                    const RowCopies& grafts = {}) const;

 private:
  GroupNorm norm1_, norm2_;
  Conv2d conv1_, conv2_;
  std::optional<Conv2d> shortcut_;
  std::optional<size_t> time_slot_;
  bool time_scales_;
  Activation activation_;
  double output_divisor_;
  Resample resample_;
};

}  // namespace roundtrip::model
