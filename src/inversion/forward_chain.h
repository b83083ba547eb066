// The forward process as a chain: x_i = sqrt(r) x_{i-1} + sqrt(1 - r) n_i, r = alpha_bar_i / alpha_bar_{i-1}, fresh
// n_i.
//
// Ho, Jain & Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020, eq. 2, on the steps of the grid.
#pragma once

#include "inversion/problem.h"

namespace roundtrip::inversion {

// x0 -> x[0..S]; asks no network.
Trajectory forward_chain(const Problem& run, Tensor x0);

}  // namespace roundtrip::inversion
