#include "inversion/embedding_fit.h"

#include <algorithm>
#include <cmath>

#include "diffusion/guidance.h"
#include "diffusion/transfer.h"
#include "inversion/adam.h"
#include "inversion/ddim_walk.h"

namespace roundtrip::inversion {

using diffusion::eps_coefficient;
using diffusion::guide;
using diffusion::transfer;

struct EmbeddingFit::Step {
  Conditioning u;
  Tensor x;  // where the step with u leads
};

EmbeddingFit::EmbeddingFit(Tuned tuned, const config::Params& params)
    : tuned(tuned),
      inner_steps(static_cast<int>(params.get_int("inner_steps", {.min = 0, .max = 100000}))),
      learning_rate(params.get_float("learning_rate", {.min = 0})),
      early_stop(params.get_float("early_stop", {.min = 0})) {}

Task<EmbeddingFit::Step> EmbeddingFit::fit_step(const Problem& p, Tensor x, int i, Tensor pivot,
                                                const Conditioning& start, std::vector<double>& losses) const {
  Conditioning u = start;
  const int t = p.grid.time(i), k = p.grid.steps() - i;
  const double from = p.grid.alpha_bar(i), to = p.grid.alpha_bar(i - 1);
  const double threshold = early_stop + 2e-5 * k;
  const Tensor eps_fixed = co_await predict(p, x, t, tuned == Tuned::kConditional ? p.null : p.source);
  const auto step = [&](const Tensor& eps_u) { return transfer(x, guide(eps_u, eps_fixed, share(p.w)), from, to); };

  double loss = 0;
  const engine::Cotangent loss_cotangent = [&](const std::vector<Tensor>& eps) {
    const Tensor miss = step(eps[0]) - pivot;
    loss = miss.square().mean().item<double>();
    const double d_miss = share(p.w) * eps_coefficient(from, to);
    return std::vector<Tensor>{miss * (2 * d_miss / static_cast<double>(miss.numel()))};
  };
  Adam adam(learning_rate * std::max(0.0, 1 - k / 100.0));
  for (int j = 0; j < inner_steps; ++j) {
    std::vector<engine::Row> rows;
    rows.emplace_back(x, t, u);
    const engine::EpsAndGradient answer = co_await p.network.eps_vjp(std::move(rows), u.tokens, loss_cotangent);
    losses.push_back(loss);
    constexpr double kDiverged = 10;  // times the loss that the step began with, or that would have ended it
    if (!(loss <= kDiverged * std::max(losses.front(), threshold))) {
      throw Error(ErrorKind::kNumeric, fmt::format("the optimisation diverges from a loss of {:.3g}", losses.front()));
    }
    u.tokens = adam.step(u.tokens, answer.gradient);
    if (loss < threshold) break;
  }
  const Tensor eps_u = co_await predict(p, x, t, u);
  Step result{u, step(eps_u)};
  co_return result;
}

Task<Inversion> EmbeddingFit::operator()(const Problem& p, Inversion inversion) const {
  Step step{tuned == Tuned::kConditional ? p.source : p.null, inversion.pivots.back()};
  Trajectory path{step.x};
  std::vector<Tensor> embeddings;
  for (int i = p.grid.steps(); i >= 1; --i) {
    std::vector<double>& losses = inversion.losses[i];
    try {
      step = co_await fit_step(p, step.x, i, inversion.pivots[i - 1], step.u, losses);
    } catch (const Error& error) {
      const std::string loss = losses.empty() ? "" : fmt::format(" (loss {:.3g})", losses.back());
      throw Error(error.kind(), fmt::format("step {} at t={}, after {} inner steps{}: {}", i, p.grid.time(i),
                                            losses.size(), loss, error.message()));
    }
    path.push_back(step.x);
    embeddings.push_back(step.u.tokens);
  }
  inversion.reconstruction = std::move(path);
  inversion.state[name()] = at::stack(embeddings);
  co_return inversion;
}

Evaluations EmbeddingFit::evaluations(const Ask& ask) const {
  if (!tunes(ask.w)) return {};
  const int64_t S = ask.steps, K = inner_steps;
  return {.forward = S * (K + 2), .backward = S * K, .exact = false};
}

}  // namespace roundtrip::inversion
