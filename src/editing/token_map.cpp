#include "editing/token_map.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "editing/words.h"

namespace roundtrip::editing {
namespace {

using text::PromptTokens;

// Returns L, which both prompts must fit.
int64_t columns(const PromptTokens& source, const PromptTokens& target) {
  check(source.max_length == target.max_length, "both prompts go through one text encoder");
  require_fitting(source);
  require_fitting(target);
  return source.max_length;
}

struct ChangedWord {
  std::vector<int64_t> source, target;  // tokens
};

std::vector<int64_t> tokens_of_changed(const PromptTokens& prompt, const std::vector<std::string>& words, size_t k) {
  std::vector<int64_t> tokens = text::word_tokens(prompt, static_cast<int64_t>(k));
  if (!tokens.empty()) return tokens;
  throw input_error(
      "prompt " + name_text(prompt.prompt),
      fmt::format("word {}, {}, differs between the prompts and has no tokens here", k + 1, name_text(words[k])),
      "a token in every word that Replace changes. Remove double spaces, or use Refine");
}

std::string word_count(size_t n) { return fmt::format("{} {}", n, n == 1 ? "word" : "words"); }

std::deque<ChangedWord> changed_words(const PromptTokens& source, const PromptTokens& target) {
  const std::vector<std::string> a = text::words_of(source.prompt), b = text::words_of(target.prompt);
  if (a.size() != b.size()) {
    throw input_error(
        "Replace",
        fmt::format("the source prompt {} has {} and the target prompt {} has {} between single spaces",
                    name_text(source.prompt), word_count(a.size()), name_text(target.prompt), word_count(b.size())),
        "as many in both. Use Refine");
  }
  std::deque<ChangedWord> changed;
  for (size_t k = 0; k < a.size(); ++k) {
    if (a[k] == b[k]) continue;
    changed.push_back({.source = tokens_of_changed(source, a, k), .target = tokens_of_changed(target, b, k)});
  }
  return changed;
}

// For each token of the target the token of the source that it aligns with, or -1: the alignment (Needleman & Wunsch,
// 1970) with score 1 for equal tokens, -1 for different ones and 0 for a gap. Two gaps cost less than a pair of
// different tokens, so only equal tokens pair. Of several best alignments the one whose end skips tokens of the target
// counts, then the one that skips tokens of the source.
std::vector<int64_t> aligned(const std::vector<int64_t>& source, const std::vector<int64_t>& target) {
  // score[i][j] of the first i tokens of the source and the first j of the target
  std::vector<std::vector<int>> score(source.size() + 1, std::vector<int>(target.size() + 1, 0));
  const auto paired = [&](size_t i, size_t j) {
    return score[i - 1][j - 1] + (source[i - 1] == target[j - 1] ? 1 : -1);
  };
  for (size_t i = 1; i <= source.size(); ++i) {
    for (size_t j = 1; j <= target.size(); ++j) {
      score[i][j] = std::max({score[i][j - 1], score[i - 1][j], paired(i, j)});
    }
  }
  std::vector<int64_t> m(target.size(), -1);
  for (size_t i = source.size(), j = target.size(); i > 0 && j > 0;) {
    if (score[i][j] == score[i][j - 1]) {
      --j;
    } else if (score[i][j] == score[i - 1][j]) {
      --i;
    } else {
      m[--j] = static_cast<int64_t>(--i);
    }
  }
  return m;
}

}  // namespace

bool can_replace(const PromptTokens& source, const PromptTokens& target) {
  return text::words_of(source.prompt).size() == text::words_of(target.prompt).size();
}

TokenMap replace_map(const PromptTokens& source, const PromptTokens& target, Tail tail) {
  const int64_t L = columns(source, target);
  std::deque<ChangedWord> changed = changed_words(source, target);
  at::Tensor P = at::zeros({L, L}, at::kFloat);
  auto p = P.accessor<float, 2>();
  for (int64_t i = 0, j = 0; i < L && j < L;) {
    if (!changed.empty() && changed.front().source.front() == i) {
      const auto [S, T] = std::move(changed.front());
      changed.pop_front();
      for (size_t s = 0; s < S.size(); ++s) {
        for (size_t t = 0; t < T.size(); ++t) {
          if (S.size() != T.size()) p[S[s]][T[t]] = 1 / static_cast<float>(T.size());
          if (S.size() == T.size() && s == t) p[S[s]][T[t]] = 1;
        }
      }
      i += static_cast<int64_t>(S.size());
      j += static_cast<int64_t>(T.size());
    } else {
      const bool is_tail = changed.empty();
      p[is_tail && tail == Tail::kReleased ? j : i][j] = 1;
      ++i;
      ++j;
    }
  }
  return {.P = P, .known = at::ones({L}, at::kFloat)};
}

TokenMap refine_map(const PromptTokens& source, const PromptTokens& target, Tail tail) {
  const int64_t L = columns(source, target);
  std::vector<int64_t> m = aligned(source.ids, target.ids);
  const auto Lx = static_cast<int64_t>(source.ids.size()), Ly = static_cast<int64_t>(target.ids.size());
  for (int64_t n = Ly; n < L; ++n) {
    const int64_t from = tail == Tail::kReleased ? n : n + Lx - Ly;
    m.push_back(from < L ? from : -1);
  }
  const TokenMap map{.P = at::zeros({L, L}, at::kFloat), .known = at::zeros({L}, at::kFloat)};
  for (int64_t n = 0; n < L; ++n) {
    if (m[static_cast<size_t>(n)] < 0) continue;
    map.P[m[static_cast<size_t>(n)]][n] = 1;
    map.known[n] = 1;
  }
  return map;
}

}  // namespace roundtrip::editing
