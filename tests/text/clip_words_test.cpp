#include "text/clip_words.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roundtrip::text {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> words(std::string_view normalised) {
  std::vector<std::string> words;
  for_each_word(normalised, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

TEST(Normalise, Composes) { EXPECT_EQ(normalise("cafe\u0301"), "caf\u00e9"); }

TEST(Normalise, LeavesMarksThatUnicode9DidNotHaveWhereTheyStand) {
  EXPECT_EQ(normalise("a\u0301\u0323"), "\u1ea1\u0301");   // both known: put in order, then composed
  EXPECT_EQ(normalise("a\u1df7\u0323"), "a\u1df7\u0323");  // U+1DF7 came with Unicode 11
}

TEST(Normalise, LowersEachCodePointOnItsOwn) {
  EXPECT_EQ(normalise("ÀÉ ΣΑΣ STRAẞE"), "àé σασ straße");
  EXPECT_EQ(normalise("İI"), "i\u0307i");
}

TEST(Normalise, MakesEveryRunOfWhiteSpaceOneSpace) {
  EXPECT_EQ(normalise("\ta \r\n b\u00a0\u3000c\u0085"), " a b c ");
  EXPECT_EQ(normalise("a\u200bb"), "a\u200bb");
}

TEST(Words, AreLettersSingleNumbersAndRunsOfSymbols) {
  EXPECT_THAT(words("two cats, 42!? 猫½"), ElementsAre("two", "cats", ",", "4", "2", "!?", "猫", "½"));
  EXPECT_THAT(words("  "), IsEmpty());
}

TEST(Words, KnowLettersAndNumbersThatCameAfterUnicode15) {
  EXPECT_EQ(normalise("\u1c89\ua7dc"), "\u1c8a\u019b");
  EXPECT_THAT(words("\U0002ebf0\u732b!\U00016d70\U00016d71"),
              ElementsAre("\U0002ebf0\u732b", "!", "\U00016d70", "\U00016d71"));
}

TEST(Words, PartContractionsOnlyWhereAWordWouldStart) {
  EXPECT_THAT(words("don't we'll 'd"), ElementsAre("don", "'t", "we", "'ll", "'d"));
  EXPECT_THAT(words("'street"), ElementsAre("'s", "treet"));
  EXPECT_THAT(words("''s"), ElementsAre("''", "s"));
}

TEST(Words, EndAWrittenSpecialTokenAtItsBracket) {
  EXPECT_THAT(words("<|endoftext|>!"), ElementsAre("<|", "endoftext", "|>", "!"));
  EXPECT_THAT(words("!<|endoftext|>!"), ElementsAre("!<|", "endoftext", "|>!"));
}

}  // namespace
}  // namespace roundtrip::text
