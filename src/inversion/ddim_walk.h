// The two walks along the grid that the methods are made of: DDIM inversion up, DDIM sampling down.
//
// Song, Meng & Ermon, "Denoising Diffusion Implicit Models", ICLR 2021, eq. 12 and section 4.3.
#pragma once

#include "inversion/problem.h"

namespace roundtrip::inversion {

// w eps(x, t, c) + (1 - w) eps(x, t, null), asking only for the rows that w needs.
Task<Tensor> guided(const Problem& p, Tensor x, int t, const Conditioning& c, const Conditioning& null, double w);

// Rows that a walk of `steps` guided predictions asks for.
int64_t guided_rows(int steps, double w, bool one_embedding);

// x0 -> x[0..S] by the explicit step: eps at the latent that the step comes from, under the source prompt at invert_w.
Task<Trajectory> ddim_invert(const Problem& p, Tensor x0);

// x_S -> x[S..0] under `conditioning` at w, with DDIM's eta.
Task<Trajectory> ddim_sample(const Problem& p, Tensor x_S, const Conditioning& conditioning);

}  // namespace roundtrip::inversion
