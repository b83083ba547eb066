// A method that walks a flow by the midpoint rule, up and down alike.
//
//   v_1 = v_w(x, p_i),   v_2 = v_w(x + h/2 v_1, (p_i + p_j)/2),   x <- x + h v_2,   h = p_j - p_i
// With `reuse` v_1 is the v_2 of the step before, so that a step after the first asks once; the way back starts anew.
// Flow models only: a diffusion model has no timestep half way. eps_at is not read.
#pragma once

#include "inversion/method.h"

namespace roundtrip::inversion {

class MidpointMethod : public Method {
 public:
  explicit MidpointMethod(bool reuse) : reuses_(reuse) {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override;
  Task<Trajectory> sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const override;

 private:
  // From grid index `from` to `to`, either way. The caller's v_w outlives the task.
  Task<Trajectory> walk_midpoints(const Problem& run, const Guided& v_w, Tensor x, int from, int to) const;

  bool reuses_;
};

}  // namespace roundtrip::inversion
