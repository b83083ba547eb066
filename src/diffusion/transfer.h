// The DDIM step in either direction, and the Markov step of forward noising.
//
// With a = sqrt(alpha_bar) and s = sqrt(1 - alpha_bar), a fixed eps carries x from one noise level to another by
//   x_to = a_to (x_from - s_from eps) / a_from + sqrt(1 - alpha_bar_to - sigma^2) eps  [+ sigma n]
// (DDIM, eq. 12). Inverting or sampling is a matter of which level is named first.
#pragma once

#include <ATen/ATen.h>

namespace roundtrip::diffusion {

using at::Tensor;

// x, eps [...] -> x at level alpha_bar_to [...]. sigma = 0 is the deterministic step; the caller adds sigma * n.
Tensor transfer(const Tensor& x, const Tensor& eps, double alpha_bar_from, double alpha_bar_to, double sigma = 0);

// What transfer adds to x for a unit of eps: d transfer / d eps.
double eps_coefficient(double alpha_bar_from, double alpha_bar_to, double sigma = 0);

// sigma^2 = eta^2 (1 - alpha_bar_to) / (1 - alpha_bar_from) (1 - alpha_bar_from / alpha_bar_to)   (DDIM, eq. 16)
double ddim_sigma(double eta, double alpha_bar_from, double alpha_bar_to);

// x_to = sqrt(r) x_from + sqrt(1 - r) n, r = alpha_bar_to / alpha_bar_from: one step of the forward Markov chain.
Tensor forward_step(const Tensor& x, const Tensor& noise, double alpha_bar_from, double alpha_bar_to);

}  // namespace roundtrip::diffusion
