#include "data/captured_stderr.h"

#include <cstdio>
#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roundtrip::data {
namespace {

using testing::ElementsAre;

TEST(CapturedStderr, WithholdsWhatDecodersSayAndPassesOnTheRest) {
  testing::internal::CaptureStderr();
  CapturedStderr capture;
  std::fputs("libpng error: IDAT: CRC error\n", stderr);
  std::fputs("12 % done\n", stderr);
  std::cerr << "Corrupt JPEG data: bad Huffman code" << std::endl;
  EXPECT_THAT(capture.finish(), ElementsAre("libpng error: IDAT: CRC error", "Corrupt JPEG data: bad Huffman code"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "12 % done\n");
}

TEST(CapturedStderr, GivesTheStandardErrorBack) {
  testing::internal::CaptureStderr();
  {
    CapturedStderr capture;
    std::fputs("libpng warning: iCCP: known incorrect sRGB profile\n", stderr);
  }
  std::fputs("libpng is not capturing now\n", stderr);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "libpng is not capturing now\n");
}

}  // namespace
}  // namespace roundtrip::data
