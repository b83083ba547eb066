#include "inversion/implicit_method.h"

#include "diffusion/transfer.h"

namespace roundtrip::inversion {

Task<Tensor> ImplicitStep::eps(Tensor z) const { return guided(p, std::move(z), t(), p.source, p.null, p.invert_w); }

Tensor ImplicitStep::up(const Tensor& eps) const {
  return diffusion::transfer(from, eps, p.grid.alpha_bar(i - 1), p.grid.alpha_bar(i));
}

Tensor ImplicitStep::down(const Tensor& z, const Tensor& eps) const {
  return diffusion::transfer(z, eps, p.grid.alpha_bar(i), p.grid.alpha_bar(i - 1));
}

Task<Inversion> ImplicitMethod::invert(const Problem& p, Tensor x0) const {
  Inversion inversion;
  inversion.pivots = {std::move(x0)};
  for (int i = 1; i <= p.grid.steps(); ++i) {
    const ImplicitStep step{p, i, inversion.pivots.back(), inversion.pivots.front()};
    Task<Tensor> solving = solve(step, inversion.losses[i]);
    inversion.pivots.push_back(co_await solving);
  }
  co_return inversion;
}

Task<Trajectory> ImplicitMethod::sample(const Problem& p, const Inversion& inversion,
                                        const Conditioning& conditioning) const {
  return ddim_sample(p, inversion.pivots.back(), conditioning);
}

Evaluations ImplicitMethod::sample_evaluations(const Ask& ask) const {
  return {.forward = guided_rows(ask.steps, ask.w, ask.null_sampled)};
}

double mean_square(const Tensor& x) { return x.square().mean().item<double>(); }

}  // namespace roundtrip::inversion
