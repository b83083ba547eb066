// Words as columns: what the two rules make of an absent word, column weights and the equalizer.
#include "editing/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/ptp_golden.h"

namespace roundtrip::editing {
namespace {

using at::Tensor;
using ::testing::ElementsAre;
using testing::error_of;
using testing::golden_tokens;
using ::testing::IsEmpty;

Tensor row(double elsewhere, const std::vector<std::pair<int64_t, double>>& entries) {
  Tensor expected = at::full({77}, elsewhere, at::kFloat);
  for (const auto& [column, value] : entries) expected[column] = value;
  return expected;
}

TEST(Words, AreTheSameColumnsUnderEitherRuleWhereTheyAreThere) {
  const text::PromptTokens prompt = golden_tokens("the cat, a dog and the cat");
  for (const WordsRule rule : {WordsRule::kStrict, WordsRule::kReleased}) {
    EXPECT_THAT(columns_of(prompt, "the", rule, "editor.blend"), ElementsAre(1, 9));
    EXPECT_THAT(columns_of(prompt, "and", rule, "editor.blend"), ElementsAre(6, 7, 8));
  }
}

TEST(Words, AnAbsentOneIsRefusedOrTakesNoColumn) {
  const text::PromptTokens prompt = golden_tokens("a photo of a red circle on the left");
  EXPECT_EQ(error_of([&] { columns_of(prompt, "circles", WordsRule::kStrict, "editor.equalizer"); }),
            "editor.equalizer: 'circles' is not a word of the prompt 'a photo of a red circle on the left'; expected a "
            "word as it stands there between two spaces. Did you mean 'circle'?");
  EXPECT_THAT(columns_of(prompt, "circles", WordsRule::kReleased, "editor.equalizer"), IsEmpty());
}

TEST(Words, OneWithoutTokensIsRefusedOrTakesNoColumn) {
  const text::PromptTokens prompt = golden_tokens("#1 dog on the left");
  const std::string error = error_of([&] { columns_of(prompt, "left", WordsRule::kStrict, "editor.blend"); });
  EXPECT_NE(error.find("editor.blend: 'left' has no tokens in the prompt '#1 dog on the left'"), std::string::npos)
      << error;
  EXPECT_THAT(columns_of(prompt, "left", WordsRule::kReleased, "editor.blend"), IsEmpty());
}

TEST(Words, APromptBeyondTheEmbeddingIsRefused) {
  text::PromptTokens prompt = golden_tokens("cat");
  prompt.max_length = 2;
  EXPECT_EQ(error_of([&] { columns_of(prompt, "cat", WordsRule::kReleased, "editor.blend"); }),
            "prompt 'cat': has 3 tokens with its marks; expected at most 2. Shorten the prompt");
}

TEST(Words, ColumnWeightsAreOneForEachWord) {
  const text::PromptTokens prompt = golden_tokens("the cat, a dog and the cat");
  EXPECT_TRUE(at::equal(column_weights(prompt, {"the", "dog", "the"}, WordsRule::kStrict, "editor.blend"),
                        row(0, {{1, 1}, {9, 1}, {5, 1}})));
  EXPECT_TRUE(at::equal(column_weights(prompt, {"cow"}, WordsRule::kReleased, "editor.blend"), row(0, {})));
}

TEST(Words, TheEqualizerIsOneElsewhereAndTheLaterFactorCounts) {
  const text::PromptTokens prompt = golden_tokens("the cat, a dog and the cat");
  EXPECT_TRUE(
      at::equal(equalizer(prompt, {{"dog", 2}, {"the", -1.5}, {"dog", 0.5}}, WordsRule::kStrict, "editor.equalizer"),
                row(1, {{5, 0.5}, {1, -1.5}, {9, -1.5}})));
  EXPECT_TRUE(at::equal(equalizer(prompt, {{"cow", 3}}, WordsRule::kReleased, "editor.equalizer"), row(1, {})));
  error_of([&] { equalizer(prompt, {{"cow", 3}}, WordsRule::kStrict, "editor.equalizer"); });
}

}  // namespace
}  // namespace roundtrip::editing
