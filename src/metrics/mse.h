// Mean squared error of each pair of a batch: the basis of mse, latent_mse and psnr.
#pragma once

#include <ATen/ATen.h>

namespace roundtrip::metrics {

// [N, C, H, W] twice -> [N] float64, on the inputs' device.
at::Tensor mean_squared_error(const at::Tensor& reference, const at::Tensor& test);

// Counts only pixels where `counts` [N, 1, H, W] is true; NaN for a pair that has none.
at::Tensor mean_squared_error(const at::Tensor& reference, const at::Tensor& test, const at::Tensor& counts);

// 10 log10(1 / mse) of errors [N]: +inf for 0.
at::Tensor peak_signal_to_noise(const at::Tensor& squared_error);

}  // namespace roundtrip::metrics
