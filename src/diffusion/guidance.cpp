#include "diffusion/guidance.h"

namespace roundtrip::diffusion {

Branches branches(const Conditioning& conditional, const Conditioning& unconditional, double w) {
  if (w == 1 || same_conditioning(conditional, unconditional)) return Branches::kConditional;
  return w == 0 ? Branches::kUnconditional : Branches::kBoth;
}

Tensor guide(const Tensor& eps_conditional, const Tensor& eps_unconditional, double w) {
  return at::add(eps_conditional * w, eps_unconditional, 1 - w);
}

}  // namespace roundtrip::diffusion
