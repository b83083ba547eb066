#include "inversion/forward_chain.h"

#include "diffusion/transfer.h"

namespace roundtrip::inversion {

Trajectory forward_chain(const Problem& p, Tensor x0) {
  Trajectory path{std::move(x0)};
  for (int i = 1; i <= p.grid.steps(); ++i) {
    const Tensor& x = path.back();
    const Tensor noise = p.noise(NoisePurpose::kForward, i, x);
    path.push_back(diffusion::forward_step(x, noise, p.grid.alpha_bar(i - 1), p.grid.alpha_bar(i)));
  }
  return path;
}

Reads forward_chain_reads() { return {.common = "forward_noise", .seed = true}; }

}  // namespace roundtrip::inversion
