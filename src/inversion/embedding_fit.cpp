#include "inversion/embedding_fit.h"

#include <algorithm>

#include "inversion/adam.h"

namespace roundtrip::inversion {

EmbeddingFit::EmbeddingFit(const config::Params& params)
    : inner_steps(static_cast<int>(params.get_int("inner_steps", {.min = 0, .max = 100000}))),
      learning_rate(params.get_float("learning_rate", {.min = 0})),
      early_stop(params.get_float("early_stop", {.min = 0})) {}

Tensor FitStep::lead(const Tensor& eps_u) const {
  return run.grid.step(x, diffusion::cfg({eps_u, eps_other}, share), i, i - 1);
}

Task<FitStep::Pull> FitStep::pull(const Conditioning& u) const {
  Pull pull;
  const engine::Cotangent d_loss = [&](const std::vector<Tensor>& eps) {
    const Tensor miss = lead(eps[0]) - pivot;
    pull.loss = mean_square(miss);
    const double d_miss = share * run.grid.out_coefficient(i, i - 1);
    return std::vector<Tensor>{miss * (2 * d_miss / static_cast<double>(miss.numel()))};
  };
  std::vector<engine::Row> rows;
  rows.emplace_back(x, run.grid[i].t, u);
  engine::OutAndGradient answer = co_await run.network.out_vjp(std::move(rows), u.tokens, d_loss);
  pull.gradient = std::move(answer.gradients.front());
  co_return pull;
}

Task<Conditioning> EmbeddingFit::operator()(const FitStep& step, const Conditioning& before,
                                            std::vector<double>& losses) const {
  Conditioning u = before;
  const int k = step.run.grid.steps() - step.i;
  const double threshold = early_stop + 2e-5 * k;
  Adam adam(learning_rate * std::max(0.0, 1 - k / 100.0));
  for (int j = 0; j < inner_steps; ++j) {
    const FitStep::Pull pulled = co_await step.pull(u);
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

void rethrow_at_step(const Error& error, const Problem& run, int i, const std::vector<double>& losses) {
  const std::string loss = losses.empty() ? "" : fmt::format(" (loss {:.3g})", losses.back());
  throw Error(error.kind(), fmt::format("step {} at t={:g}, after {} inner steps{}: {}", i, run.grid[i].t,
                                        losses.size(), loss, error.message()));
}

}  // namespace roundtrip::inversion
