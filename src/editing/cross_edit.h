// The edit of the target's cross-attention at one step, as a linear form of both maps:
//   A_tgt' = A_src P_i + A_tgt diag(d_i)
// It is what a step of Hertz et al., Prompt-to-Prompt, ICLR 2023, algorithm 1, does to the map: with a = alpha_i,
//   A_tgt' = a e (known A_src P + (1 - known) A_tgt) + (1 - a) A_tgt      column by column.
// The form is exact algebra, so no map has to be formed: A_tgt' v = A_src (P_i v) + A_tgt (d_i v).
#pragma once

#include <ATen/ATen.h>

#include "editing/token_map.h"

namespace roundtrip::editing {

struct CrossEdit {
  at::Tensor P, d;  // [L, L] source column to target column, [L]
};

// a [L]: the step's row of cross_alphas; e [L]: the equalizer.
CrossEdit cross_edit(const TokenMap& map, const at::Tensor& a, const at::Tensor& e);

}  // namespace roundtrip::editing
