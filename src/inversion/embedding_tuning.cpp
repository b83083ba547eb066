#include "inversion/embedding_tuning.h"

namespace roundtrip::inversion {

Task<Inversion> EmbeddingTuning::fit(const Problem& p, Inversion inversion) const {
  if (fit_.tunes(p.w)) {
    Task<Inversion> fitting = fit_(p, std::move(inversion));
    co_return co_await fitting;
  }
  if (fit_.share(p.w) == 0) {
    inversion.notes.push_back(
        fmt::format("guidance_scale {:g} does not read the embedding that would be tuned: nothing was fitted", p.w));
  }
  co_return inversion;
}

Task<Trajectory> EmbeddingTuning::sample(const Problem& p, const Inversion& inversion,
                                         const Conditioning& conditioning) const {
  const bool fitted = fit_.tunes(p.w);
  if (fitted && !p.edits && p.eta == 0) co_return inversion.reconstruction;
  const GuidesAt guides_at = [&](int i) { return guides(p, fit_.embedding(p, inversion, i), conditioning); };
  Task<Trajectory> sampling = ddim_sample(p, inversion.pivots.back(), guides_at);
  co_return co_await sampling;
}

Evaluations EmbeddingTuning::sample_evaluations(const Ask& ask) const {
  const bool fitted = fit_.tunes(ask.w);
  if (fitted && !ask.edits && ask.eta == 0) return {};
  const bool one_embedding = !fitted && ask.null_sampled;
  return {.forward = guided_rows(ask.steps, ask.w, one_embedding)};
}

}  // namespace roundtrip::inversion
