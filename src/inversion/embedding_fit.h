// Embeddings fitted step by step so that the guided walk keeps to its pivots: what null-text and prompt-tuning
// inversion share.
//
// Of the pair that guides, one embedding u is tuned and the other stays. At each step, the noisiest first, from where
// the steps before have led:
//   min_u  mean (PHI(x_i; i -> i-1, eps_w(u)) - pivot_{i-1})^2,   eps_w = w eps(c) + (1 - w) eps(null)
// Mokady et al., CVPR 2023, algorithm 1 (u = null); Dong et al., ICCV 2023 (u = c). Only u's row is differentiated, the
// other is evaluated once a step; neither the network nor the other embedding changes.
//
// `one_for_all` is the ablation that null-text inversion's paper calls global: a single u for all steps. It is tuned in
// K passes over the pivots, an update a step, by one Adam at the full learning rate and without early stops.
#pragma once

#include "config/params.h"
#include "inversion/method.h"

namespace roundtrip::inversion {

struct EmbeddingFit {
  enum class Tuned { kConditional, kUnconditional };

  // `params` gives inner_steps, learning_rate and early_stop.
  EmbeddingFit(Tuned tuned, const config::Params& params, bool one_for_all = false);

  Tuned tuned;
  bool one_for_all;
  int inner_steps;       // K, at most
  double learning_rate;  // of Adam, made anew at each step, times 1 - k/100; k = 0 at the noisiest step
  double early_stop;     // a step ends after an update computed from a loss below early_stop + 2e-5 k

  // d eps_w / d eps(u). Where it is 0 the walk does not read u, and there is nothing to tune.
  double share(double w) const { return tuned == Tuned::kConditional ? w : 1 - w; }
  bool tunes(double w) const { return inner_steps > 0 && share(w) != 0; }

  // Adds the walk, its losses and, in the state under `name()`, the tuned embeddings [S, L, D], the noisiest first, or
  // the one for all [1, L, D].
  // Throws kNumeric, naming step and loss, where the optimisation diverges.
  Task<Inversion> operator()(const Problem& p, Inversion inversion) const;

  // The embedding that guides the step from grid index i: the tuned one, or where nothing tunes what it starts from.
  Conditioning embedding(const Problem& p, const Inversion& inversion, int i) const;

  const char* name() const { return tuned == Tuned::kConditional ? "prompt_embeddings" : "null_embeddings"; }

  // At most K + 2 forward and K backward a step; K + 3 and K with one embedding for all.
  Evaluations evaluations(const Ask& ask) const;

 private:
  struct Step;
  struct Pull;
  const Conditioning& fixed(const Problem& p) const { return tuned == Tuned::kConditional ? p.null : p.source; }
  const Conditioning& start(const Problem& p) const { return tuned == Tuned::kConditional ? p.source : p.null; }

  Task<Pull> pull(const Step& step, const Conditioning& u) const;
  Task<Inversion> fit_each(const Problem& p, Inversion inversion) const;
  Task<Inversion> fit_one_for_all(const Problem& p, Inversion inversion) const;
  Task<Conditioning> fit_step(const Step& step, const Conditioning& before, std::vector<double>& losses) const;
};

}  // namespace roundtrip::inversion
