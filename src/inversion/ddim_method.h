// DDIM inversion, and the methods whose way up it is: all of them share their pivots.
//
// Song, Meng & Ermon, "Denoising Diffusion Implicit Models", ICLR 2021, eq. 12 and section 4.3.
#pragma once

#include "inversion/method.h"

namespace roundtrip::inversion {

// x0 -> x[0..S] by the explicit step: eps at the latent stepped from, under the source prompt at invert_w.
Task<Trajectory> ddim_invert(const Problem& run, Tensor x0);

// The rest of that walk, from its latents x[0..k] on.
Task<Trajectory> ddim_invert_on(const Problem& run, Trajectory x);

class DdimMethod : public Method {
 public:
  Task<Inversion> invert(const Problem& run, Tensor x0) const override;
};

}  // namespace roundtrip::inversion
