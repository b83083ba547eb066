#include "base/error.h"

#include <gtest/gtest.h>

namespace roundtrip {
namespace {

TEST(Error, NamesPlaceFoundAndExpectedInOneLine) {
  EXPECT_EQ(input_error("a.png", "0 bytes", "an image").message(), "a.png: 0 bytes; expected an image");
  EXPECT_EQ(input_error("a.png", "is gone").message(), "a.png: is gone");
}

TEST(Error, DetailsFollowTheFirstLine) {
  const Error error(ErrorKind::kCompose, "Could not override 'x'.", "Key 'x' is not in struct");
  EXPECT_STREQ(error.what(), "Could not override 'x'.\nKey 'x' is not in struct");
  EXPECT_EQ(error.message(), "Could not override 'x'.");
}

TEST(Error, KindsDecideTheExitCode) {
  EXPECT_EQ(exit_code(ErrorKind::kUsage), 2);
  EXPECT_EQ(exit_code(ErrorKind::kType), 1);
  EXPECT_EQ(exit_code(ErrorKind::kInput), 1);
  EXPECT_EQ(exit_code(ErrorKind::kNumeric), 3);
}

TEST(Check, StaysOnInReleaseAndNamesItsPlace) {
  try {
    check(1 + 1 == 3, "arithmetic");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_NE(error.message().find("error_test.cpp:"), std::string::npos);
    EXPECT_NE(error.message().find("arithmetic"), std::string::npos);
  }
}

}  // namespace
}  // namespace roundtrip
