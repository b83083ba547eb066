// The map of structural similarity: Wang et al., IEEE TIP 2004, eq. 13, at every pixel of every channel.
//
// A window is 11x11, Gaussian with sigma 1.5; K1 = 0.01, K2 = 0.03, data range 1, borders reflected: torchmetrics'
// choices.
#pragma once

#include <ATen/ATen.h>

namespace roundtrip::metrics {

inline constexpr int64_t kSsimWindow = 11, kSsimReach = kSsimWindow / 2;

// [N, C, H, W] float32 twice, neither side below 11 pixels -> the same shape. On a CPU it takes no memory beyond the
// map and a few rows per thread; elsewhere about twenty maps exist at once.
at::Tensor ssim_map(const at::Tensor& x, const at::Tensor& y);

// The same by operations of ATen, on any device.
at::Tensor ssim_map_by_convolution(const at::Tensor& x, const at::Tensor& y);

}  // namespace roundtrip::metrics
