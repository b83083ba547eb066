#include "inversion/two_step_method.h"

#include <utility>

#include "diffusion/transfer.h"

namespace roundtrip::inversion {

using diffusion::transfer;

constexpr const char* kSecond = "second_latent";  // x_{S-1}

Task<Inversion> TwoStepMethod::invert(const Problem& p, Tensor x0) const {
  const int S = p.grid.steps();
  if (S < 2)
    throw Error(ErrorKind::kType, "steps: 1 was given; expected at least 2, the recurrence joins three latents");
  check_grid(p.grid);
  Inversion inversion;
  Trajectory& x = inversion.pivots;
  x = {std::move(x0)};
  for (int i = 0; i < S; ++i) {
    const Tensor eps = co_await guided(p, x[i], p.grid.time(i), p.source, p.null, p.invert_w);
    x.push_back(i == 0 ? transfer(x[0], eps, p.grid.alpha_bar(0), p.grid.alpha_bar(1))
                       : up(p.grid, i, x[i - 1], x[i], eps));
  }
  if (keeps_second_) inversion.state[kSecond] = x[S - 1];
  note_if_unstable(inversion);
  co_return inversion;
}

Task<Trajectory> TwoStepMethod::sample(const Problem& p, const Inversion& inversion,
                                       const Conditioning& conditioning) const {
  const int S = p.grid.steps();
  Tensor above = inversion.pivots.back(), x;
  if (keeps_second_) {
    x = inversion.state.at(kSecond);
  } else {
    const Tensor eps = co_await guided(p, above, p.grid.time(S), conditioning, p.null, p.w);
    x = transfer(above, eps, p.grid.alpha_bar(S), p.grid.alpha_bar(S - 1));
  }
  Trajectory path{above, x};
  for (int i = S - 1; i >= 1; --i) {
    const Tensor eps = co_await guided(p, x, p.grid.time(i), conditioning, p.null, p.w);
    const Tensor below = down(p.grid, i, above, x, eps);
    above = std::exchange(x, below);
    path.push_back(x);
  }
  co_return path;
}

Evaluations TwoStepMethod::invert_evaluations(const Ask& ask) const {
  return {.forward = guided_rows(ask.steps, ask.invert_w, ask.null_source)};
}

Evaluations TwoStepMethod::sample_evaluations(const Ask& ask) const {
  return {.forward = guided_rows(keeps_second_ ? ask.steps - 1 : ask.steps, ask.w, ask.null_sampled)};
}

void note_if_unstable(Inversion& inversion) {
  constexpr double kUnstable = 10;
  if (inversion.pivots.back().square().mean().item<double>() <= kUnstable) return;
  inversion.notes.push_back(fmt::format(
      "unstable: the inverted latent's mean square is above {:g}, ten times that of noise and more", kUnstable));
}

}  // namespace roundtrip::inversion
