// Windows of steps: 40 of tests/golden/ptp/mappers.json, and words with windows of their own.
#include "editing/windows.h"

#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/ptp_golden.h"

namespace roundtrip::editing {
namespace {

using at::Tensor;
using testing::error_of;

std::vector<int64_t> no_words(const std::string&) { return {}; }

Bound bound_of(const nlohmann::json& entry) {
  if (entry.is_array()) return {.start = entry[0], .end = entry[1]};
  return {.end = entry};
}

// [n] float32: 1 from `begin` to `end`.
Tensor ones_in(int64_t n, int64_t begin, int64_t end) {
  const Tensor steps = at::arange(n);
  return ((steps >= begin) & (steps < end)).to(at::kFloat);
}

TEST(Windows, AreThoseOfThePublishedCode) {
  int windows = 0;
  for (const nlohmann::json& each : testing::ptp_golden().at("alphas")) {
    const int N = each[0];
    const Bound bound = bound_of(each[1]);
    const Tensor alphas = cross_alphas(N, 77, bound, {}, no_words);
    EXPECT_EQ(alphas.sizes(), (std::vector<int64_t>{N + 1, 77}));
    const Tensor expected = ones_in(N + 1, each[2][0], each[2][1]);
    EXPECT_TRUE(at::equal(alphas, expected.unsqueeze(1).expand({N + 1, 77}))) << each;
    const Window self = window(bound, N);
    EXPECT_EQ(self.begin, each[3][0]) << each;
    EXPECT_EQ(self.end, each[3][1]) << each;
    ++windows;
  }
  EXPECT_EQ(windows, 40);
}

TEST(Windows, TruncateInDouble) {
  EXPECT_EQ(window({.end = .58}, 50).end, 28);
  EXPECT_EQ(window({.end = .29}, 100).end, 28);
  const Window half = window({.start = .2, .end = .7}, 10);
  EXPECT_FALSE(half.contains(1));
  EXPECT_TRUE(half.contains(2));
  EXPECT_TRUE(half.contains(6));
  EXPECT_FALSE(half.contains(7));
}

TEST(Windows, AWordsOwnBoundReplacesTheCommonOneInItsColumns) {
  const text::PromptTokens target = testing::golden_tokens("the cat, a dog and the cat");
  const auto columns = [&](const std::string& word) { return text::word_tokens(target, word); };
  const WordBounds words = {{"the", {.start = .5, .end = 1}}, {"cow", {.end = 1}}, {"dog", {.end = 0}}};
  const Tensor alphas = cross_alphas(10, 77, {.end = .4}, words, columns);
  for (int64_t n = 0; n < 77; ++n) {
    const bool is_the = n == 1 || n == 9;  // both occurrences
    const Tensor expected = is_the ? ones_in(11, 5, 11) : n == 5 ? ones_in(11, 0, 0) : ones_in(11, 0, 4);
    EXPECT_TRUE(at::equal(alphas.select(1, n), expected)) << n;
  }
}

TEST(Windows, TheLaterOfTwoBoundsForOneColumnCounts) {
  const auto columns = [](const std::string&) { return std::vector<int64_t>{3}; };
  const Tensor alphas =
      cross_alphas(9, 77, {}, {{"b", {.start = 0, .end = .2}}, {"a", {.start = .6, .end = .8}}}, columns);
  EXPECT_TRUE(at::equal(alphas.select(1, 3), ones_in(10, 6, 8)));
}

TEST(Windows, RefuseABoundThatIsNoFraction) {
  for (const Bound& bound : {Bound{.end = 1.2}, Bound{.start = -.1}, Bound{.start = .7, .end = .2}}) {
    error_of([&] { require_bound(bound, "editor.cross"); }, ErrorKind::kType);
  }
  EXPECT_EQ(error_of([] { require_bound({.start = .7, .end = .2}, "editor.cross"); }, ErrorKind::kType),
            "editor.cross: from 0.7 to 0.2 of the steps; expected 0 <= start <= end <= 1");
  require_bound({}, "editor.cross");
}

}  // namespace
}  // namespace roundtrip::editing
