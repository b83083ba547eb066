// A method whose recurrence joins three neighbouring latents, so that it can be run either way without an error:
//
//   x_{i+1} = up(x_{i-1}, x_i, eps_i),   x_{i-1} = down(x_{i+1}, x_i, eps_i),   eps_i = eps_w(x_i, tau_i)
// with down the algebraic inverse of up. The first step up is DDIM's explicit one from the clean latent, eps_0 at the
// clean end's time. The inversion leaves a pair: x_S and x_{S-1}. With both the way back is exact; with `second_latent:
// false` x_{S-1} is not kept, the first step down is DDIM's, and exactness is lost.
//
// eps_i is evaluated at x_i's own timestep; eps_at and eta are not read.
#pragma once

#include "inversion/method.h"

namespace roundtrip::inversion {

class TwoStepMethod : public Method {
 public:
  explicit TwoStepMethod(const config::Params& params) : keeps_second_(params.get_bool("second_latent")) {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override;
  Task<Trajectory> sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const override;
  double default_invert_w(double w) const override { return w; }  // the inverse of what will be sampled

 private:
  virtual Tensor up(const diffusion::StepGrid& grid, int i, const Tensor& below, const Tensor& x,
                    const Tensor& eps) const = 0;
  virtual Tensor down(const diffusion::StepGrid& grid, int i, const Tensor& above, const Tensor& x,
                      const Tensor& eps) const = 0;
  virtual void check_grid(const diffusion::StepGrid&) const {}  // throws kType for one that the recurrence cannot walk

  bool keeps_second_;
};

}  // namespace roundtrip::inversion
