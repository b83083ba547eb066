// A method that solves DDIM's implicit step: the latent x_i from which sampling comes back to x_{i-1} exactly.
//
//   x_i = g(x_i),  g(z) = PHI(x_{i-1}; i-1 -> i, eps_w(z, tau_i))
// Evaluated at z = x_{i-1}, g is plain DDIM inversion with eps_at = t; the methods differ in how they go on from there.
// All of them sample as DDIM does, from x_S alone. eps_at is not read: the step is implicit at the time stepped to.
#pragma once

#include "inversion/method.h"

namespace roundtrip::inversion {

// One implicit step, from grid index i-1 to i.
struct ImplicitStep {
  const Problem& run;
  const Guided& eps_w;
  int i;
  Tensor from;  // x_{i-1}
  Tensor x0;    // the clean latent

  Task<Tensor> eps(Tensor z) const { return eps_w(std::move(z), i); }
  Tensor up(const Tensor& eps) const { return run.grid.step(from, eps, i - 1, i); }  // g, where eps = eps_w(z, tau_i)
  Tensor down(const Tensor& z, const Tensor& eps) const { return run.grid.step(z, eps, i, i - 1); }
};

class ImplicitMethod : public Method {
 public:
  Task<Inversion> invert(const Problem& run, Tensor x0) const override;
  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<Sampler>(run, inversion.pivots.back(), guidance.conditioning);
  }
  double default_invert_w(double w) const override { return w; }  // the inverse of what will be sampled

 private:
  // x_i. Each residual's mean square goes to `residuals`.
  virtual Task<Tensor> solve(const ImplicitStep& step, std::vector<double>& residuals) const = 0;
};

}  // namespace roundtrip::inversion
