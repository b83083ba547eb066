// A point of the noise schedule, and the line that every family of models moves along.
//
//   x = a x_0 + s n                      the marginal at a level, n ~ N(0, 1)
//   x_j = (c_j / c_i) x_i + c_j (p_j - p_i) out      the step from level i to level j at a fixed prediction `out`
//
//   family              a                s                    c   p       out           t
//   DDIM / VP           sqrt(alpha_bar)  sqrt(1 - alpha_bar)  a   s / a   eps           integer
//   rectified flow      1 - sigma        sigma                1   sigma   v = n - x_0   1000 sigma
//
// DDIM: Song, Meng & Ermon, ICLR 2021, eq. 12 and 13. Rectified flow: Liu, Gong & Liu, ICLR 2023.
#pragma once

#include <string_view>

namespace roundtrip::diffusion {

struct Level {
  double a, s;  // of the marginal
  double c, p;  // of the step
  double t;     // the time that the network is given
};

// The prediction that a denoiser returns and that a grid's steps take. v- and sample-predictions of VP models become
// eps where the model is read; a flow's v is never converted, since eps loses it at sigma = 1.
enum class Out { kEps, kVelocity };

// "eps" or "v", for messages.
std::string_view out_name(Out out);

}  // namespace roundtrip::diffusion
