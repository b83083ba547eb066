#include "inversion/edit_only_method.h"

namespace roundtrip::inversion {
namespace {

constexpr const char* kByConstruction =
    "the image is not inverted: under equal prompts the walk stays at it by construction, so do not rank it";

}  // namespace

Task<Inversion> EditOnlyMethod::invert(const Problem& run, Tensor x0) const {
  Inversion inversion;
  inversion.pivots.assign(run.grid.steps() + 1, x0);
  inversion.notes.emplace_back(kByConstruction);
  co_return inversion;
}

Tensor EditOnlyMethod::noisings(const Problem& run, const Tensor& x0, int i, int64_t count) {
  const Tensor like = x0.unsqueeze(0).expand({count, -1, -1, -1});
  return run.grid.noised(like, run.noise(NoisePurpose::kForward, i, like), 0, i);
}

}  // namespace roundtrip::inversion
