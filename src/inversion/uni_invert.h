// Uni-Inv's way up: the implicit step asked once, at a prediction of the latent that the previous step's answer makes.
//
//   x^ = PHI(x_{i-1}; i-1 -> i, out_{i-1}),   out_i = out_w(x^, tau_i),   x_i = PHI(x_{i-1}; i-1 -> i, out_i)
// Jiao et al., "UniEdit-Flow: Unleashing Inversion and Editing in the Era of Flow Models", 2025 (arXiv 2504.13109),
// algorithm 1. out_0 is asked at the clean end's time, one evaluation more than DDIM inversion needs; `zero_init` takes
// it to be 0.
#pragma once

#include "inversion/problem.h"

namespace roundtrip::inversion {

// x0 -> x[0..S], under the source prompt at invert_w.
Task<Trajectory> uni_invert(const Problem& run, Tensor x0, bool zero_init);

}  // namespace roundtrip::inversion
