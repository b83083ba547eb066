// A method that tunes one of the two guiding embeddings, step by step, to the pivots (embedding_fit.h).
//
// It reconstructs by the fit's own walk; with eta > 0, and to edit, it samples anew under what was tuned.
#pragma once

#include "inversion/ddim_method.h"
#include "inversion/embedding_fit.h"

namespace roundtrip::inversion {

class EmbeddingTuning : public DdimMethod {
 public:
  explicit EmbeddingTuning(EmbeddingFit fit) : fit_(fit) {}

  Task<Inversion> fit(const Problem& p, Inversion inversion) const override;
  Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                          const Conditioning& conditioning) const override;

  Reads fit_reads() const override { return {.w = true}; }
  Evaluations fit_evaluations(const Ask& ask) const override { return fit_.evaluations(ask); }
  Evaluations sample_evaluations(const Ask& ask) const override;

 private:
  // What guides a step whose tuned embedding is `tuned`.
  virtual Guides guides(const Problem& p, const Conditioning& tuned, const Conditioning& conditioning) const = 0;

  EmbeddingFit fit_;
};

}  // namespace roundtrip::inversion
