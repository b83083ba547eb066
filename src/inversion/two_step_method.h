// A method whose recurrence joins three neighbouring latents, so that it can be run either way without an error:
//
//   x_{i+1} = up(x_{i-1}, x_i, eps_i),   x_{i-1} = down(x_{i+1}, x_i, eps_i),   eps_i = eps_w(x_i, tau_i)
// with down the algebraic inverse of up. The first step up is DDIM's explicit one from the clean latent, eps_0 at the
// clean end's time. What is left is a pair: x_S and x_{S-1}. With both the way back is exact; with `second_latent:
// false` x_{S-1} is not kept, the first step down is DDIM's, and exactness is lost.
//
// eps is taken at the time of the latent that it is taken at, so eps_at is not read; nor is eta.
#pragma once

#include "inversion/ddim_walk.h"

namespace roundtrip::inversion {

class TwoStepMethod : public Method {
 public:
  explicit TwoStepMethod(const config::Params& params) : keeps_second_(params.get_bool("second_latent")) {}

  Task<Inversion> invert(const Problem& p, Tensor x0) const override;
  Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                          const Conditioning& conditioning) const override;

  Reads invert_reads() const override { return {.invert_w = true}; }
  Reads sample_reads(double) const override { return {.w = true}; }
  Evaluations invert_evaluations(const Ask& ask) const override;
  Evaluations sample_evaluations(const Ask& ask) const override;
  double default_invert_w(double w) const override { return w; }  // the inverse of what will be sampled

 private:
  virtual Tensor up(const diffusion::StepGrid& grid, int i, const Tensor& below, const Tensor& x,
                    const Tensor& eps) const = 0;
  virtual Tensor down(const diffusion::StepGrid& grid, int i, const Tensor& above, const Tensor& x,
                      const Tensor& eps) const = 0;
  virtual void check_grid(const diffusion::StepGrid&) const {}  // throws kType for one that the recurrence cannot walk

  bool keeps_second_;
};

// Adds a note where the latent's mean square says that the inversion amplifies: white noise has 1.
void note_if_unstable(Inversion& inversion);

}  // namespace roundtrip::inversion
