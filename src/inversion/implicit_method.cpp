#include "inversion/implicit_method.h"

namespace roundtrip::inversion {

Task<Inversion> ImplicitMethod::invert(const Problem& run, Tensor x0) const {
  const Guided eps_w = run.inverting();
  Inversion inversion;
  inversion.pivots = {std::move(x0)};
  for (int i = 1; i <= run.grid.steps(); ++i) {
    const ImplicitStep step{run, eps_w, i, inversion.pivots.back(), inversion.pivots.front()};
    Task<Tensor> solving = solve(step, inversion.losses[i]);
    inversion.pivots.push_back(co_await solving);
  }
  co_return inversion;
}

}  // namespace roundtrip::inversion
