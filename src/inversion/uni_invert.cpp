#include "inversion/uni_invert.h"

#include "inversion/guided.h"

namespace roundtrip::inversion {

Task<Trajectory> uni_invert(const Problem& run, Tensor x0, bool zero_init) {
  const Guided out_w = run.inverting();
  Trajectory x{std::move(x0)};
  Tensor out = at::zeros_like(x[0]);
  if (!zero_init) out = co_await out_w(x[0], 0);
  for (int i = 1; i <= run.grid.steps(); ++i) {
    const Tensor predicted = run.grid.step(x.back(), out, i - 1, i);
    out = co_await out_w(predicted, i);
    x.push_back(run.grid.step(x.back(), out, i - 1, i));
  }
  co_return x;
}

}  // namespace roundtrip::inversion
