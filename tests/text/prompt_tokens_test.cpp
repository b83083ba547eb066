// The tokens of a word: 181 look-ups of tests/golden/ptp/mappers.json, and the oddities of the walk, each on its own.
#include "text/prompt_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/ptp_golden.h"

namespace roundtrip::text {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using testing::golden_tokens;
using ::testing::IsEmpty;
using testing::ptp_golden;

TEST(PromptTokens, FindTheTokensOfWordsAsThePublishedCodeDoes) {
  int lookups = 0;
  for (const nlohmann::json& each : ptp_golden().at("words")) {
    const PromptTokens tokens = golden_tokens(each[0]);
    const auto look_up = [&] {
      return each[1].is_string() ? word_tokens(tokens, each[1].get<std::string>())
                                 : word_tokens(tokens, each[1].get<int64_t>());
    };
    if (each[2] == "out of range") {
      error_of(look_up);
    } else {
      EXPECT_EQ(look_up(), each[2].get<std::vector<int64_t>>()) << each;
    }
    ++lookups;
  }
  EXPECT_EQ(lookups, 181);
}

TEST(PromptTokens, WordsLieBetweenSingleSpaces) {
  EXPECT_THAT(words_of("two  spaces"), ElementsAre("two", "", "spaces"));
  EXPECT_THAT(words_of("the cat, "), ElementsAre("the", "cat,", ""));
  EXPECT_THAT(words_of(""), ElementsAre(""));
}

TEST(PromptTokens, AWordIsWholeAndItsCaseCounts) {
  const PromptTokens tokens = golden_tokens("the cat, a dog and the cat");
  EXPECT_THAT(word_tokens(tokens, "cat"), ElementsAre(10));
  EXPECT_THAT(word_tokens(tokens, "cat,"), ElementsAre(2, 3));
  EXPECT_THAT(word_tokens(tokens, "Cat"), IsEmpty());
  EXPECT_THAT(word_tokens(tokens, 7), IsEmpty());
  EXPECT_THAT(word_tokens(tokens, -1), IsEmpty());
}

// Both bytes of é decode to a character of their own, so that one token too many is left for the words.
TEST(PromptTokens, RefuseAPromptWhoseTokensOutlastItsWords) {
  const PromptTokens tokens{.prompt = "dog é", .ids = {558, 542, 127, 358, 559}, .pieces = {"dog", "\uFFFD", "\uFFFD"}};
  const std::string error = error_of([&] { word_tokens(tokens, "dog"); });
  EXPECT_NE(error.find("prompt 'dog é': its last word ends before token 3 of 3"), std::string::npos) << error;
  EXPECT_THAT(word_tokens(tokens, "cat"), IsEmpty());
}

}  // namespace
}  // namespace roundtrip::text
