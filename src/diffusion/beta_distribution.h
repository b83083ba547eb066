// The beta distribution's quantiles.
#pragma once

namespace roundtrip::diffusion {

// The x in [0, 1] with I_x(a, b) = p, to about 1e-14, for a and b above 0 and p in [0, 1]. I is the regularised
// incomplete beta function (Abramowitz & Stegun, 6.6.2).
double beta_quantile(double p, double a, double b);

}  // namespace roundtrip::diffusion
