#include "inversion/ddim_method.h"

namespace roundtrip::inversion {

Task<Trajectory> ddim_invert_on(const Problem& run, Trajectory x) {
  const Guided eps_w = run.inverting();
  for (auto i = static_cast<int>(x.size()); i <= run.grid.steps(); ++i) {
    const int at = run.eps_at() == EpsAt::kTo ? i : i - 1;  // eps(x_{i-1}, tau_i) or eps(x_{i-1}, tau_{i-1})
    const Tensor eps = co_await eps_w(x.back(), at);
    x.push_back(run.grid.step(x.back(), eps, i - 1, i));
  }
  co_return x;
}

Task<Trajectory> ddim_invert(const Problem& run, Tensor x0) {
  Trajectory start{std::move(x0)};
  Task<Trajectory> walking = ddim_invert_on(run, std::move(start));
  Trajectory x = co_await walking;
  run.note_walk("ddim", x);
  co_return x;
}

Task<Inversion> DdimMethod::invert(const Problem& run, Tensor x0) const {
  Inversion inversion;
  inversion.pivots = co_await ddim_invert(run, std::move(x0));
  co_return inversion;
}

}  // namespace roundtrip::inversion
