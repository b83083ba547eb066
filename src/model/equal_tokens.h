// Text tokens at the end of a sequence that are all equal, computed as one.
//
// SD3 without T5 has 256 rows of zeros in its place, and attends to them. Its text has no positions, so tokens that are
// equal stay equal from layer to layer, and attending to n of them is attending to one with log(n) added to its score:
// the same result, with up to three quarters of the tokens of a small picture saved. Whether tokens are equal is seen
// from their values, so embeddings that were tuned apart are computed one by one.
#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace roundtrip::model {

struct FoldedTokens {
  at::Tensor tokens = {};  // [N, L', C]
  at::Tensor bias = {};    // [L' + others] to add to the scores of the tokens as keys; undefined where none were folded
};

// tokens [N, L, C]; the attention has `others` more tokens, after these. The folded tokens receive equal gradients.
FoldedTokens fold_equal_tokens(const at::Tensor& tokens, int64_t others);

}  // namespace roundtrip::model
