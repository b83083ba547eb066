#include "inversion/embedding_fit.h"

#include <algorithm>
#include <cmath>

#include "diffusion/guidance.h"
#include "diffusion/transfer.h"
#include "inversion/adam.h"
#include "inversion/ddim_walk.h"

namespace roundtrip::inversion {

// The step from grid index i, as a function of the tuned row's prediction.
struct EmbeddingFit::Step {
  const Problem& p;
  int i;
  Tensor x;          // x_i
  Tensor pivot;      // of i - 1
  Tensor eps_fixed;  // of the embedding that stays
  double share;      // d eps_w / d eps(u)

  int t() const { return p.grid.time(i); }
  double from() const { return p.grid.alpha_bar(i); }
  double to() const { return p.grid.alpha_bar(i - 1); }
  Tensor lead(const Tensor& eps_u) const {
    return diffusion::transfer(x, diffusion::guide(eps_u, eps_fixed, share), from(), to());
  }
};

// mean (lead(eps(u)) - pivot)^2, and its gradient with respect to u.
struct EmbeddingFit::Pull {
  double loss = 0;
  Tensor gradient;
};

EmbeddingFit::EmbeddingFit(Tuned tuned, const config::Params& params, bool one_for_all)
    : tuned(tuned),
      one_for_all(one_for_all),
      inner_steps(static_cast<int>(params.get_int("inner_steps", {.min = 0, .max = 100000}))),
      learning_rate(params.get_float("learning_rate", {.min = 0})),
      early_stop(params.get_float("early_stop", {.min = 0})) {}

Task<EmbeddingFit::Pull> EmbeddingFit::pull(const Step& step, const Conditioning& u) const {
  Pull pull;
  const engine::Cotangent loss_cotangent = [&](const std::vector<Tensor>& eps) {
    const Tensor miss = step.lead(eps[0]) - step.pivot;
    pull.loss = miss.square().mean().item<double>();
    const double d_miss = step.share * diffusion::eps_coefficient(step.from(), step.to());
    return std::vector<Tensor>{miss * (2 * d_miss / static_cast<double>(miss.numel()))};
  };
  std::vector<engine::Row> rows;
  rows.emplace_back(step.x, step.t(), u);
  engine::EpsAndGradient answer = co_await step.p.network.eps_vjp(std::move(rows), u.tokens, loss_cotangent);
  pull.gradient = std::move(answer.gradient);
  co_return pull;
}

Task<Conditioning> EmbeddingFit::fit_step(const Step& step, const Conditioning& before,
                                          std::vector<double>& losses) const {
  Conditioning u = before;
  const int k = step.p.grid.steps() - step.i;
  const double threshold = early_stop + 2e-5 * k;
  Adam adam(learning_rate * std::max(0.0, 1 - k / 100.0));
  for (int j = 0; j < inner_steps; ++j) {
    const Pull pulled = co_await pull(step, u);
    losses.push_back(pulled.loss);
    constexpr double kDiverged = 10;  // times the loss that the step began with, or that would have ended it
    if (!(pulled.loss <= kDiverged * std::max(losses.front(), threshold))) {
      throw Error(ErrorKind::kNumeric, fmt::format("the optimisation diverges from a loss of {:.3g}", losses.front()));
    }
    u.tokens = adam.step(u.tokens, pulled.gradient);
    if (pulled.loss < threshold) break;
  }
  co_return u;
}

Task<Inversion> EmbeddingFit::fit_each(const Problem& p, Inversion inversion) const {
  Conditioning u = start(p);
  Tensor x = inversion.pivots.back();
  Trajectory path{x};
  std::vector<Tensor> embeddings;
  for (int i = p.grid.steps(); i >= 1; --i) {
    std::vector<double>& losses = inversion.losses[i];
    try {
      const Tensor eps_fixed = co_await predict(p, x, p.grid.time(i), fixed(p));
      const Step step{p, i, x, inversion.pivots[i - 1], eps_fixed, share(p.w)};
      u = co_await fit_step(step, u, losses);
      const Tensor eps_u = co_await predict(p, x, step.t(), u);
      x = step.lead(eps_u);
    } catch (const Error& error) {
      const std::string loss = losses.empty() ? "" : fmt::format(" (loss {:.3g})", losses.back());
      throw Error(error.kind(), fmt::format("step {} at t={}, after {} inner steps{}: {}", i, p.grid.time(i),
                                            losses.size(), loss, error.message()));
    }
    path.push_back(x);
    embeddings.push_back(u.tokens);
  }
  inversion.reconstruction = std::move(path);
  inversion.state[name()] = at::stack(embeddings);
  co_return inversion;
}

Task<Inversion> EmbeddingFit::fit_one_for_all(const Problem& p, Inversion inversion) const {
  std::vector<Step> steps;
  for (int i = p.grid.steps(); i >= 1; --i) {
    const Tensor x = inversion.pivots[i];
    const Tensor eps_fixed = co_await predict(p, x, p.grid.time(i), fixed(p));
    steps.push_back(Step{p, i, x, inversion.pivots[i - 1], eps_fixed, share(p.w)});
  }
  Conditioning u = start(p);
  Adam adam(learning_rate);
  for (int pass = 0; pass < inner_steps; ++pass) {
    for (const Step& step : steps) {
      const Pull pulled = co_await pull(step, u);
      inversion.losses[step.i].push_back(pulled.loss);
      u.tokens = adam.step(u.tokens, pulled.gradient);
    }
  }
  inversion.state[name()] = u.tokens.unsqueeze(0);
  Tensor x = inversion.pivots.back();
  inversion.reconstruction = {x};
  for (Step& step : steps) {
    step.x = x;
    step.eps_fixed = co_await predict(p, x, step.t(), fixed(p));
    const Tensor eps_u = co_await predict(p, x, step.t(), u);
    x = step.lead(eps_u);
    inversion.reconstruction.push_back(x);
  }
  co_return inversion;
}

Task<Inversion> EmbeddingFit::operator()(const Problem& p, Inversion inversion) const {
  return one_for_all ? fit_one_for_all(p, std::move(inversion)) : fit_each(p, std::move(inversion));
}

Conditioning EmbeddingFit::embedding(const Problem& p, const Inversion& inversion, int i) const {
  Conditioning u = start(p);
  if (tunes(p.w)) u.tokens = inversion.state.at(name())[one_for_all ? 0 : p.grid.steps() - i];
  return u;
}

Evaluations EmbeddingFit::evaluations(const Ask& ask) const {
  if (!tunes(ask.w)) return {};
  const int64_t S = ask.steps, K = inner_steps;
  return {.forward = S * (K + (one_for_all ? 3 : 2)), .backward = S * K, .exact = one_for_all};
}

}  // namespace roundtrip::inversion
