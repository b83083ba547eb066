// Distance of an inverted latent from white Gaussian noise, on which its editability depends.
#pragma once

#include <ATen/ATen.h>

namespace roundtrip::session {

struct NoiseStatistics {
  double mean, std;
  double autocorrelation;  // of neighbours, averaged over both axes: (x - mean)(x' - mean) / variance
  double kl;               // KL(N(mean, std^2) || N(0, 1)) = (std^2 + mean^2 - 1 - ln std^2) / 2
};

NoiseStatistics noise_statistics(const at::Tensor& x_S);  // [C, H, W]

}  // namespace roundtrip::session
