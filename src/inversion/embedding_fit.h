// One step of tuning an embedding: the inner loop that null-text and prompt-tuning inversion share.
//
// Of the pair that guides a step, one embedding u is tuned and the other stays:
//   min_u  mean (PHI(x_i; i -> i-1, eps_w(u)) - pivot_{i-1})^2,   eps_w = share eps(u) + (1 - share) eps(other)
// Only u's row is differentiated; the other's prediction is evaluated once. Neither the network nor the other embedding
// changes. Mokady et al., CVPR 2023, algorithm 1, lines 4 to 7; the stopping rule and the decay of the learning rate as
// in its published notebook.
#pragma once

#include "inversion/method.h"

namespace roundtrip::inversion {

// The step from grid index i, as a function of the tuned row's prediction.
struct FitStep {
  const Problem& run;
  int i;
  Tensor x;          // x_i
  Tensor pivot;      // of i - 1
  Tensor eps_other;  // of the embedding that stays
  double share;      // d eps_w / d eps(u)

  Tensor lead(const Tensor& eps_u) const;  // x_{i-1}

  struct Pull {
    double loss = 0;  // mean (lead(eps(u)) - pivot)^2
    Tensor gradient;  // with respect to u's tokens
  };
  Task<Pull> pull(const Conditioning& u) const;
};

struct EmbeddingFit {
  explicit EmbeddingFit(const config::Params& params);  // reads inner_steps, learning_rate and early_stop

  // The embedding after up to K updates of an Adam of its own, at learning_rate (1 - k/100), k = 0 at the noisiest
  // step. The tuning ends after an update computed from a loss below early_stop + 2e-5 k. Losses are appended, each
  // before its update. Throws kNumeric, naming step and loss, where the optimisation diverges.
  Task<Conditioning> operator()(const FitStep& step, const Conditioning& before, std::vector<double>& losses) const;

  int inner_steps;  // K
  double learning_rate, early_stop;
};

// The same error with the place of the fit: the step, the inner steps made so far and the last loss.
[[noreturn]] void rethrow_at_step(const Error& error, const Problem& run, int i, const std::vector<double>& losses);

}  // namespace roundtrip::inversion
