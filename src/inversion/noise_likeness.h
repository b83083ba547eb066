// Gradients of two measures of how far a predicted noise is from noise, by which ReNoise corrects it.
#pragma once

#include <ATen/ATen.h>

namespace roundtrip::inversion {

// Gradient of the sum over 4 x 4 patches of each channel of KL(N(mu, v) | N(mu_ref, v_ref)), the patches' own means and
// variances:
//   KL = (log(v_ref / v) + (v + (mu - mu_ref)^2) / v_ref - 1) / 2      (Garibi et al., ReNoise, ECCV 2024, section 3.4)
// eps, reference [C, h, w] -> [C, h, w]; what is left of the last whole patch has no part in it. With `as_released`, of
// what ReNoise's released code sums: twice that, variances divided by n - 1 and offset by 1e-6.
at::Tensor patch_kl_gradient(const at::Tensor& eps, const at::Tensor& reference, bool as_released = false);

// Gradient of the sum over channels, both axes and a pyramid of halved resolutions down to 8 of (mean(n roll_r(n)))^2,
// the autocorrelation at a shift r in [1, h/2)      (Parmar et al., Zero-shot Image-to-Image Translation, SIGGRAPH
// 2023) `uniforms` [levels] on [0, 1) choose r at each resolution; missing levels are left out, and a resolution of one
// pixel, which has no shift. With [C, levels] each channel has shifts of its own, from 0 on, as ReNoise's released code
// draws them.
at::Tensor autocorrelation_gradient(const at::Tensor& eps, const at::Tensor& uniforms);

// The value of that sum.
double autocorrelation(const at::Tensor& eps, const at::Tensor& uniforms);

}  // namespace roundtrip::inversion
