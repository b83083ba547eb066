// Tables of replacements, made by hand: a trie is an array of units, each with the offset of its children, a flag where
// a value follows, and the byte that leads to it.
#include "text/charsmap.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"

namespace roundtrip::text {
namespace {

using testing::error_of;

std::string table(const std::vector<uint32_t>& units, const std::string& values) {
  const uint32_t size = static_cast<uint32_t>(units.size() * sizeof(uint32_t));
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof(size));
  bytes.append(reinterpret_cast<const char*>(units.data()), size);
  return bytes + values;
}

// The keys "a" -> "xy" and "ab" -> "z". Units: the root's children start at 0x100, those of "a" at 0x200.
std::string small_table() {
  constexpr uint32_t kHasValue = 1u << 8, kIsValue = 1u << 31;
  std::vector<uint32_t> units(0x400, 0);
  units[0] = 0x100u << 10;
  units[0x100 ^ 'a'] = ((0x100u ^ 'a' ^ 0x200u) << 10) | kHasValue | 'a';
  units[0x200] = kIsValue | 0;  // the value of "a"
  units[0x200 ^ 'b'] = ((0x200u ^ 'b' ^ 0x300u) << 10) | kHasValue | 'b';
  units[0x300] = kIsValue | 3;  // the value of "ab"
  return table(units, std::string("xy\0z\0", 5));
}

TEST(Charsmap, ReplacesAClusterByTheValueOfItsShortestKey) {
  const Charsmap map(small_table(), "tokenizer.json");
  EXPECT_EQ(map.apply("cab"), "cxyb");  // clusters of one character: "ab" is two of them
  EXPECT_EQ(map.apply(""), "");
  EXPECT_EQ(map.apply("a\u0301c"), "xyc");                              // a cluster below 6 bytes goes as a whole
  EXPECT_EQ(map.apply("a\u0301\u0302\u0303"), "xy\u0301\u0302\u0303");  // a longer one by its characters
}

TEST(Charsmap, LeavesTextsAloneWithoutATable) { EXPECT_EQ(Charsmap("", "tokenizer.json").apply("cab"), "cab"); }

TEST(Charsmap, RefusesTablesThatAreNotComplete) {
  const std::string whole = small_table();
  const auto refusal = [](const std::string& bytes) { return error_of([&] { Charsmap(bytes, "tokenizer.json"); }); };
  EXPECT_THAT(refusal(whole.substr(0, 2)), ::testing::HasSubstr("tokenizer.json: a precompiled_charsmap of 2 bytes"));
  EXPECT_THAT(refusal(whole.substr(0, 100)), ::testing::HasSubstr("that names 4096 of its trie"));
  EXPECT_THAT(refusal(whole.substr(0, whole.size() - 1)), ::testing::HasSubstr("a zero after the last"));
  EXPECT_THAT(refusal(table({}, std::string(1, '\0'))), ::testing::HasSubstr("names 0 of its trie"));
}

// Offsets beyond the units, and values beyond the texts.
TEST(Charsmap, StaysWithinATableThatLeadsAnywhere) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint32_t> units(1 + random() % 300);
    for (size_t k = 0; k < units.size(); ++k) {
      units[k] = random() % 4 == 0 ? random() : ((random() % 400) << 10) | (random() & 0x100) | (k & 0x7f);
    }
    const Charsmap map(table(units, std::string("v\0", 2)), "tokenizer.json");
    const std::string mapped = map.apply("a photograph of a lighthouse\u0301 at dusk");
    EXPECT_LE(mapped.size(), 64u) << "each character becomes itself or one of the values";
  }
}

}  // namespace
}  // namespace roundtrip::text
