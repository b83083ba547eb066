// The mean squared error of each pair of a batch: what mse, latent_mse and psnr are made of.
#pragma once

#include <ATen/ATen.h>

namespace roundtrip::metrics {

// [N, C, H, W] twice -> [N] float64, on the inputs' device.
at::Tensor mean_squared_error(const at::Tensor& reference, const at::Tensor& test);

}  // namespace roundtrip::metrics
