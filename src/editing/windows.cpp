#include "editing/windows.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::editing {

void require_bound(const Bound& bound, std::string_view key) {
  if (0 <= bound.start && bound.start <= bound.end && bound.end <= 1) return;
  throw Error(ErrorKind::kType, fmt::format("{}: from {} to {} of the steps; expected 0 <= start <= end <= 1", key,
                                            python_repr(bound.start), python_repr(bound.end)));
}

Window window(const Bound& bound, int n) {
  return {.begin = static_cast<int>(bound.start * n), .end = static_cast<int>(bound.end * n)};
}

at::Tensor cross_alphas(int N, int64_t L, const Bound& all, const WordBounds& words,
                        const std::function<std::vector<int64_t>(const std::string&)>& columns) {
  at::Tensor alphas = at::zeros({N + 1, L}, at::kFloat);
  const auto steps_of = [&](at::Tensor part, const Bound& bound) {
    const Window steps = window(bound, N + 1);
    return part.slice(0, steps.begin, steps.end);
  };
  steps_of(alphas, all).fill_(1);
  for (const auto& [word, bound] : words) {
    for (const int64_t column : columns(word)) {
      at::Tensor alpha = alphas.select(1, column);
      alpha.fill_(0);
      steps_of(alpha, bound).fill_(1);
    }
  }
  return alphas;
}

}  // namespace roundtrip::editing
