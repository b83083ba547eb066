#include "inversion/ddim_method.h"

namespace roundtrip::inversion {

Task<Trajectory> ddim_invert(const Problem& run, Tensor x0) {
  const Guided eps_w = run.inverting();
  Trajectory x{std::move(x0)};
  for (int i = 1; i <= run.grid.steps(); ++i) {
    const int at = run.eps_at() == EpsAt::kTo ? i : i - 1;  // eps(x_{i-1}, tau_i) or eps(x_{i-1}, tau_{i-1})
    const Tensor eps = co_await eps_w(x.back(), at);
    x.push_back(run.grid.step(x.back(), eps, i - 1, i));
  }
  run.note_walk("ddim", x);
  co_return x;
}

Task<Inversion> DdimMethod::invert(const Problem& run, Tensor x0) const {
  Inversion inversion;
  inversion.pivots = co_await ddim_invert(run, std::move(x0));
  co_return inversion;
}

}  // namespace roundtrip::inversion
