// Flags before and after overrides, and those that the program adds to Hydra's.
#include "hydra/launch/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"

namespace roundtrip::hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

const std::vector<ExtraFlag> kExtra = {
    {"--dry-run"}, {"--resume", Takes::kOptionalWord, true}, {"--max-failures", Takes::kWord}};

TEST(Flags, ExtraFlagsComeBackInTheOrderTyped) {
  const Flags flags = parse_flags(
      {"--max-failures", "3", "steps=10", "--dry-run", "-m", "--resume", "eta=0", "--max-failures=4"}, kExtra);
  EXPECT_THAT(flags.extra, ElementsAre(Pair("--max-failures", "3"), Pair("--dry-run", ""), Pair("--resume", ""),
                                       Pair("--max-failures", "4")));
  EXPECT_THAT(flags.overrides, ElementsAre("steps=10", "eta=0"));  // an override is not the word of --resume
  EXPECT_TRUE(flags.multirun);
}

TEST(Flags, AnOptionalWordIsTaken) {
  EXPECT_THAT(parse_flags({"--resume", "DIR"}, kExtra).extra, ElementsAre(Pair("--resume", "DIR")));
}

TEST(Flags, ExtraFlagsMayBeSpelledWithUnderscores) {
  EXPECT_THAT(parse_flags({"--dry_run"}, kExtra).extra, ElementsAre(Pair("--dry-run", "")));
}

TEST(Flags, AFlagThatNobodyAddedIsUnknown) {
  EXPECT_EQ(testing::kind_of([] { parse_flags({"--dry-run"}); }), ErrorKind::kUsage);
  EXPECT_EQ(testing::kind_of([] { parse_flags({"--max-failures"}, kExtra); }), ErrorKind::kUsage);  // without its word
  EXPECT_EQ(testing::kind_of([] { parse_flags({"--dry-run=1"}, kExtra); }), ErrorKind::kUsage);
}

}  // namespace
}  // namespace roundtrip::hydra
