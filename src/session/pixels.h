// Converts pictures between R G B bytes and tensors [3, H, W] on [-1, 1].
#pragma once

#include <ATen/ATen.h>

#include "data/sample.h"

namespace roundtrip::session {

using at::Tensor;

// Uses the type and the device of `options`.
Tensor to_pixels(const data::Image& image, const at::TensorOptions& options);

// Returns u8 [H, W, 3], rounded and clamped to [0, 255]: the exact inverse of to_pixels.
Tensor to_bytes(const Tensor& pixels);

}  // namespace roundtrip::session
