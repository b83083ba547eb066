// Noise maps: what leads a stochastic sampler along a given walk.
//
//   z_i = (x_{i-1} - mu_i(x_i)) / sigma_i,   x_{i-1} <- mu_i(x_i) + sigma_i z_i    against rounding, the noisiest first
// where mu_i + sigma_i z is the sampler's step: DDIM's at eta = 1, or another one of the same sigma_i.
// Huberman-Spiegelglas, Kulikov & Michaeli, "An Edit Friendly DDPM Noise Space", CVPR 2024, algorithm 1.
#pragma once

#include <functional>

#include "inversion/problem.h"

namespace roundtrip::inversion {

// The name of the maps in Inversion::state.
inline constexpr const char* kNoiseMaps = "noise_maps";

// mu_i(x) by the prediction `out` at x. It is called once for each i, in descending order.
using StepMean = std::function<Tensor(const Tensor& x, const Tensor& out, int i)>;

// The mean of DDIM's step at eta = 1. `grid` must outlive the result.
StepMean ddpm_mean(const diffusion::StepGrid& grid);

// x[0..S] -> z_i [first, C, h, w] for the steps from grid index `first` on, the noisiest first, under the source prompt
// at invert_w. The image x[0] stays as it is. The map of a step without noise is 0, and so is the last step's unless it
// is kept.
Task<Tensor> noise_maps(const Problem& run, Trajectory& x, int first, StepMean mean, bool keeps_last);

}  // namespace roundtrip::inversion
