#include "inversion/noise_maps.h"

#include "inversion/guided.h"

namespace roundtrip::inversion {

Task<Tensor> noise_maps(const Problem& run, Trajectory& x, bool keeps_last) {
  const Guided eps_w = run.inverting();
  std::vector<Tensor> maps;
  for (int i = run.grid.steps(); i >= 1; --i) {
    const Tensor eps = co_await eps_w(x[i], i);
    const double sigma = run.grid.sigma(1, i, i - 1);
    const Tensor mu = run.grid.step(x[i], eps, i, i - 1, sigma);
    // Where sigma is 0, as from timestep 0 to a clean end at its own level, no map leads anywhere.
    const bool none = sigma == 0 || (i == 1 && !keeps_last);
    maps.push_back(none ? at::zeros_like(mu) : (x[i - 1] - mu) / sigma);
    if (i > 1) x[i - 1] = at::add(mu, maps.back(), sigma);
  }
  co_return at::stack(maps);
}

}  // namespace roundtrip::inversion
