// Converts pictures between R G B bytes and tensors [3, H, W] on [-1, 1].
#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "data/sample.h"

namespace roundtrip::session {

using at::Tensor;

// Uses the type and the device of `options`.
Tensor to_pixels(const data::Image& image, const at::TensorOptions& options);

// Returns u8 [H, W, 3], rounded and clamped to [0, 255]: the exact inverse of to_pixels.
Tensor to_bytes(const Tensor& pixels);

// Does the same, but cuts off what follows the decimal point, as much published code does.
Tensor to_bytes_cut_off(const Tensor& pixels);

// Maps [..., h, w], bool or on [0, 1], at a picture's size: u8 [..., H, W] from 0 to 255, nearest pixels.
Tensor map_bytes(const Tensor& maps, int64_t height, int64_t width);

}  // namespace roundtrip::session
