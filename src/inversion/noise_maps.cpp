#include "inversion/noise_maps.h"

#include <utility>

#include "inversion/guided.h"

namespace roundtrip::inversion {

StepMean ddpm_mean(const diffusion::StepGrid& grid) {
  return [&grid](const Tensor& x, const Tensor& out, int i) {
    return grid.step(x, out, i, i - 1, grid.sigma(1, i, i - 1));
  };
}

Task<Tensor> noise_maps(const Problem& run, Trajectory& x, int first, StepMean mean, bool keeps_last) {
  const Guided out_w = run.inverting();
  std::vector<Tensor> maps;
  for (int i = first; i >= 1; --i) {
    const Tensor out = co_await out_w(x[i], i);
    const double sigma = run.grid.sigma(1, i, i - 1);
    const Tensor mu = mean(x[i], out, i);
    // A step without noise has no use for a map. Such is the step from timestep 0 to a clean end of the same level.
    const bool none = sigma == 0 || (i == 1 && !keeps_last);
    maps.push_back(none ? at::zeros_like(mu) : (x[i - 1] - mu) / sigma);
    if (i > 1) x[i - 1] = at::add(mu, maps.back(), sigma);
  }
  co_return at::stack(maps);
}

}  // namespace roundtrip::inversion
