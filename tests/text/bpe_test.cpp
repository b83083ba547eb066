#include "text/bpe.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"

namespace roundtrip::text {
namespace {

using roundtrip::testing::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Vocabulary kVocabulary = {{"a", 0},  {"b", 1},   {"c", 2},  {"a</w>", 3}, {"b</w>", 4}, {"c</w>", 5},  {"ab", 6},
                                {"bc", 7}, {"abc", 8}, {"aa", 9}, {"?", 10},    {"aaaa", 11}, {"bc</w>", 12}};

std::vector<int64_t> encode(const std::vector<Merge>& merges, std::string_view word) {
  std::vector<int64_t> ids;
  Bpe(kVocabulary, merges, 10, "merges.txt").encode(word, ids);
  return ids;
}

TEST(Bpe, MarksTheLastByteOfAWord) {
  EXPECT_THAT(encode({}, "abc"), ElementsAre(0, 1, 5));
  EXPECT_THAT(encode({}, "a"), ElementsAre(3));
}

TEST(Bpe, AppliesTheLowestRankFirstWhereverItStands) {
  EXPECT_THAT(encode({{"b", "c"}, {"a", "b"}}, "abcc"), ElementsAre(0, 7, 5));
  EXPECT_THAT(encode({{"a", "b"}, {"b", "c"}}, "abcc"), ElementsAre(6, 2, 5));
}

TEST(Bpe, AppliesEqualRanksFromTheLeft) { EXPECT_THAT(encode({{"a", "a"}}, "aaaaa"), ElementsAre(9, 9, 3)); }

TEST(Bpe, MergesWhatMergesMade) {
  EXPECT_THAT(encode({{"b", "c"}, {"a", "bc"}}, "abca"), ElementsAre(8, 3));
  EXPECT_THAT(encode({{"a", "a"}, {"aa", "aa"}}, "aaaab"), ElementsAre(11, 4));
}

TEST(Bpe, DoesNotMergeAcrossTheEndMark) {
  EXPECT_THAT(encode({{"b", "c"}}, "bc"), ElementsAre(1, 5));
  EXPECT_THAT(encode({{"b", "c</w>"}}, "bc"), ElementsAre(12));
}

TEST(Bpe, GivesTheUnknownTokenForEachUnknownByte) { EXPECT_THAT(encode({}, "\xC3\xA9x"), ElementsAre(10, 10, 10)); }

TEST(Bpe, EncodesLongWordsInFairTime) {
  const std::string word(1 << 20, 'a');  // quadratic time would take hours
  EXPECT_EQ(encode({{"a", "a"}, {"aa", "aa"}}, word).size(), (1u << 18) + 2);
}

TEST(Bpe, RefusesMergesOfUnknownSymbols) {
  EXPECT_THAT(error_of([] { encode({{"a", "z"}}, "a"); }), HasSubstr("merges.txt: merge 'a z' needs 'z'"));
  EXPECT_THAT(error_of([] { encode({{"c", "a"}}, "a"); }), HasSubstr("needs 'ca'"));
}

}  // namespace
}  // namespace roundtrip::text
