#include "inversion/midpoint_method.h"

namespace roundtrip::inversion {

Task<Inversion> MidpointMethod::invert(const Problem& run, Tensor x0) const {
  const Guided v_w = run.inverting();
  Inversion inversion;
  Task<Trajectory> walking = walk_midpoints(run, v_w, std::move(x0), 0, run.grid.steps());
  inversion.pivots = co_await walking;
  co_return inversion;
}

Task<Trajectory> MidpointMethod::sample(const Problem& run, const Inversion& inversion,
                                        const Guidance& guidance) const {
  const Guided v_w = run.sampling(guidance.conditioning);
  Task<Trajectory> walking = walk_midpoints(run, v_w, inversion.pivots.back(), run.grid.steps(), 0);
  co_return co_await walking;
}

Task<Trajectory> MidpointMethod::walk_midpoints(const Problem& run, const Guided& v_w, Tensor x, int from,
                                                int to) const {
  Trajectory path{std::move(x)};
  Tensor v_2;  // of the step before
  const int up = from < to ? 1 : -1;
  for (int i = from, j = i + up; i != to; i = j, j += up) {
    Tensor v_1 = v_2;
    if (!reuses_ || !v_1.defined()) v_1 = co_await v_w(path.back(), i);
    const double half = run.grid.out_coefficient(i, j) / 2;
    const double t = run.grid.time_at((run.grid[i].p + run.grid[j].p) / 2);
    v_2 = co_await v_w.at_time(at::add(path.back(), v_1, half), t);
    path.push_back(run.grid.step(path.back(), v_2, i, j));
  }
  co_return path;
}

}  // namespace roundtrip::inversion
