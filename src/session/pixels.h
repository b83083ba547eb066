// Pictures as tensors and back: bytes R G B, and [3, H, W] on [-1, 1].
#pragma once

#include <ATen/ATen.h>

#include "data/sample.h"

namespace roundtrip::session {

using at::Tensor;

// Of the type and on the device that `options` say.
Tensor to_pixels(const data::Image& image, const at::TensorOptions& options);

// u8 [H, W, 3], rounded, and clamped to [0, 255]: what to_pixels made comes back as it was.
Tensor to_bytes(const Tensor& pixels);

}  // namespace roundtrip::session
