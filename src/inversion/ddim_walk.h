// The two walks along the grid that the methods are made of: DDIM inversion up, DDIM sampling down.
//
// Song, Meng & Ermon, "Denoising Diffusion Implicit Models", ICLR 2021, eq. 12 and section 4.3.
#pragma once

#include <functional>

#include "inversion/method.h"

namespace roundtrip::inversion {

// eps(x, t, c): one row.
Task<Tensor> predict(const Problem& p, Tensor x, int t, const Conditioning& c);

// w eps(x, t, c) + (1 - w) eps(x, t, null), asking only for the rows that w needs.
Task<Tensor> guided(const Problem& p, Tensor x, int t, const Conditioning& c, const Conditioning& null, double w);

// Rows that `steps` guided predictions ask for; `one_embedding`: c and null are the same.
int64_t guided_rows(int64_t steps, double w, bool one_embedding);

// x0 -> x[0..S] by the explicit step: eps at the latent that the step comes from, under the source prompt at invert_w.
Task<Trajectory> ddim_invert(const Problem& p, Tensor x0);

// What guides the step from grid index i: the embedding of the prompt, and what stands in for the null prompt's.
struct Guides {
  Conditioning conditional, unconditional;
};
using GuidesAt = std::function<Guides(int i)>;

// x_S -> x[S..0] under `guides_at(i)` at w, with DDIM's eta.
Task<Trajectory> ddim_sample(const Problem& p, Tensor x_S, GuidesAt guides_at);

// The same under one prompt against the null prompt.
Task<Trajectory> ddim_sample(const Problem& p, Tensor x_S, Conditioning conditioning);

}  // namespace roundtrip::inversion
