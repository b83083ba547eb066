// A method that solves DDIM's implicit step: the latent x_i from which sampling comes back to x_{i-1} exactly.
//
//   x_i = g(x_i),  g(z) = PHI(x_{i-1}; i-1 -> i, eps_w(z, tau_i))
// Evaluated at z = x_{i-1}, g is plain DDIM inversion with eps_at = t; the methods differ in how they go on from there.
// All of them sample as DDIM does, from x_S alone. eps_at is not read: the step is implicit at the time stepped to.
#pragma once

#include "inversion/ddim_walk.h"

namespace roundtrip::inversion {

// One implicit step, from grid index i-1 to i.
struct ImplicitStep {
  const Problem& p;
  int i;
  Tensor from;  // x_{i-1}
  Tensor x0;    // the clean latent

  int t() const { return p.grid.time(i); }
  Task<Tensor> eps(Tensor z) const;                       // eps_w(z, tau_i)
  Tensor up(const Tensor& eps) const;                     // PHI(x_{i-1}; i-1 -> i, eps): g, where eps = eps_w(z, tau_i)
  Tensor down(const Tensor& z, const Tensor& eps) const;  // PHI(z; i -> i-1, eps): x_{i-1}, where z solves the step
};

class ImplicitMethod : public Method {
 public:
  Task<Inversion> invert(const Problem& p, Tensor x0) const override;
  Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                          const Conditioning& conditioning) const override;

  Reads invert_reads() const override { return {.invert_w = true}; }
  Reads sample_reads(double eta) const override { return {.w = true, .eta = true, .seed = eta != 0}; }
  Evaluations sample_evaluations(const Ask& ask) const override;
  double default_invert_w(double w) const override { return w; }  // the inverse of what will be sampled

 private:
  // x_i. Each residual's mean square goes to `residuals`.
  virtual Task<Tensor> solve(const ImplicitStep& step, std::vector<double>& residuals) const = 0;
};

double mean_square(const Tensor& x);

}  // namespace roundtrip::inversion
