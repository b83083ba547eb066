#include "inversion/forward_chain.h"

namespace roundtrip::inversion {

Trajectory forward_chain(const Problem& run, Tensor x0) {
  Trajectory x{std::move(x0)};
  for (int i = 1; i <= run.grid.steps(); ++i) {
    const Tensor noise = run.noise(NoisePurpose::kForward, i, x.back());
    x.push_back(run.grid.noised(x.back(), noise, i - 1, i));
  }
  run.note_walk("forward_noise", x);
  return x;
}

}  // namespace roundtrip::inversion
