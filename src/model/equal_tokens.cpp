#include "model/equal_tokens.h"

#include <cmath>

namespace roundtrip::model {
namespace {

// How many tokens at the end equal the last one, in every row of the batch.
int64_t equal_at_end(const at::Tensor& tokens) {
  const int64_t L = tokens.size(1);
  const at::Tensor values = tokens.detach(), last = values.narrow(1, L - 1, 1);
  // Most texts end in different tokens; comparing the last two is then enough.
  if (L < 2 || !at::equal(values.narrow(1, L - 2, 1), last)) return 1;
  const at::Tensor differs = at::ne(values, last).any(2).any(0).cpu();  // [L]
  const bool* differing = differs.const_data_ptr<bool>();
  int64_t n = 1;
  while (n < L && !differing[L - 1 - n]) ++n;
  return n;
}

}  // namespace

FoldedTokens fold_equal_tokens(const at::Tensor& tokens, int64_t others) {
  const int64_t n = equal_at_end(tokens), kept = tokens.size(1) - n;
  if (n == 1) return {.tokens = tokens};
  FoldedTokens folded;
  // The mean of equal tokens is their value, and its gradient reaches each of them in equal parts.
  const at::Tensor equal = tokens.narrow(1, kept, n);
  const at::Tensor one = tokens.requires_grad() ? equal.mean(1, /*keepdim=*/true) : equal.narrow(1, 0, 1);
  folded.tokens = at::cat({tokens.narrow(1, 0, kept), one}, 1);
  folded.bias = at::zeros({kept + 1 + others}, tokens.options().requires_grad(false));
  folded.bias[kept] = std::log(static_cast<double>(n));
  return folded;
}

}  // namespace roundtrip::model
