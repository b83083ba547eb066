#include "inversion/two_step_method.h"

#include <utility>

namespace roundtrip::inversion {

constexpr const char* kSecond = "second_latent";  // x_{S-1}

Task<Inversion> TwoStepMethod::invert(const Problem& run, Tensor x0) const {
  const int S = run.grid.steps();
  if (S < 2) {
    throw Error(ErrorKind::kType, "steps: 1 was given; expected at least 2, the recurrence joins three latents");
  }
  check_grid(run.grid);
  const Guided eps_w = run.inverting();
  Inversion inversion;
  Trajectory& x = inversion.pivots;
  x = {std::move(x0)};
  for (int i = 0; i < S; ++i) {
    const Tensor eps = co_await eps_w(x[i], i);
    x.push_back(i == 0 ? run.grid.step(x[0], eps, 0, 1) : up(run.grid, i, x[i - 1], x[i], eps));
  }
  if (keeps_second_) inversion.state[kSecond] = x[S - 1];
  note_if_unstable(inversion);
  co_return inversion;
}

Task<Trajectory> TwoStepMethod::sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const {
  const int S = run.grid.steps();
  const Guided eps_w = run.sampling(guidance.conditioning);
  Tensor above = inversion.pivots.back(), x;
  if (keeps_second_) {
    x = inversion.state.at(kSecond);
  } else {
    const Tensor eps = co_await eps_w(above, S);
    x = run.grid.step(above, eps, S, S - 1);
  }
  Trajectory path{above, x};
  for (int i = S - 1; i >= 1; --i) {
    const Tensor eps = co_await eps_w(x, i);
    const Tensor below = down(run.grid, i, above, x, eps);
    above = std::exchange(x, below);
    path.push_back(x);
  }
  co_return path;
}

}  // namespace roundtrip::inversion
