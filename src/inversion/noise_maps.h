// Noise maps: what leads the stochastic sampler along a given walk.
//
//   z_i = (x_{i-1} - mu_i(x_i)) / sigma_i,   x_{i-1} <- mu_i(x_i) + sigma_i z_i    against rounding, the noisiest first
// where mu_i + sigma_i z is the sampling step at eta = 1. Huberman-Spiegelglas, Kulikov & Michaeli, "An Edit Friendly
// DDPM Noise Space", CVPR 2024, algorithm 1.
#pragma once

#include "inversion/problem.h"

namespace roundtrip::inversion {

// The name of the maps in Inversion::state.
inline constexpr const char* kNoiseMaps = "noise_maps";

// x[0..S] -> z_i [S, C, h, w], the noisiest first, under the source prompt at invert_w. The image x[0] stays as it is.
// A step without noise, and the last one unless it is kept, has the map 0.
Task<Tensor> noise_maps(const Problem& run, Trajectory& x, bool keeps_last);

}  // namespace roundtrip::inversion
