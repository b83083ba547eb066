// Windows of steps in which attention is edited, from the settings' fractions of all steps.
//
// Hertz et al., Prompt-to-Prompt, ICLR 2023, section 3.2: tau, of all words or of one. Steps count from
// 0 at the noisiest. Cross-attention windows are fractions of N + 1, as in the published code, self-attention windows
// of N: one half of 5 steps is 3 steps of the one and 2 of the other.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

namespace roundtrip::editing {

struct Bound {
  double start = 0, end = 1;  // fractions
};

struct Window {
  int begin = 0, end = 0;  // steps begin..end-1
  bool contains(int step) const { return begin <= step && step < end; }
};

// Throws kType, naming `key`, unless 0 <= start <= end <= 1.
void require_bound(const Bound& bound, std::string_view key);

// The steps of a bound, both ends truncated in double: window({0, .58}, 50) ends before step 28, not 29.
Window window(const Bound& bound, int n);

using WordBounds = std::vector<std::pair<std::string, Bound>>;

// alpha [N+1, L] float32: 1 where column n of the target's map is edited at step i. The columns of a word with a bound
// of its own have that alone; of two words that share a column the later in the list counts. `columns` gives a word's.
at::Tensor cross_alphas(int N, int64_t L, const Bound& all, const WordBounds& words,
                        const std::function<std::vector<int64_t>(const std::string&)>& columns);

}  // namespace roundtrip::editing
