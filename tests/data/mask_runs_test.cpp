#include "data/mask_runs.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/json.h"
#include "support/error_of.h"
#include "support/shared_material.h"

namespace roundtrip::data {
namespace {

using ::roundtrip::testing::error_of;
using ::testing::ElementsAre;

// Masks of 512 x 512 as PIE-Bench's reader decodes them, by the SHA-256 of their bytes.
TEST(MaskRuns, DecodeAsThePublishedReaderDoes) {
  ROUNDTRIP_NEEDS_SHARED("golden/ptp/golden_ptp.json");
  const nlohmann::json golden = read_json(shared_material("golden/ptp/golden_ptp.json"))["masks"];
  ASSERT_EQ(golden.size(), 6u);
  for (const nlohmann::json& mask : golden) {
    SCOPED_TRACE(mask["rle"].dump());
    const MaskRuns runs{.list = mask["rle"].get<std::vector<int64_t>>(), .border = true};
    const std::vector<uint8_t> pixels = decode_mask(runs, 512, 512).pixels;
    EXPECT_EQ(std::ranges::count(pixels, 1), mask["ones"].get<int64_t>());
    EXPECT_EQ(sha256_hex({reinterpret_cast<const char*>(pixels.data()), pixels.size()}), mask["sha256"]);
  }
}

TEST(MaskRuns, CountPixelsRowByRow) {
  const DecodedMask mask = decode_mask({.list = {1, 3, 7, 1}}, 2, 4);
  EXPECT_THAT(mask.pixels, ElementsAre(0, 1, 1, 1, 0, 0, 0, 1));
  EXPECT_EQ(mask.overruns, 0u);
}

TEST(MaskRuns, MarkTheBorder) {
  EXPECT_THAT(decode_mask({.list = {}, .border = true}, 3, 4).pixels, ElementsAre(1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1));
  EXPECT_THAT(decode_mask({.list = {}, .border = true}, 1, 1).pixels, ElementsAre(1));
}

TEST(MaskRuns, AreClippedAtTheEndAndCounted) {
  const DecodedMask mask = decode_mask({.list = {0, 1, 5, 100, 6, 1}}, 2, 3);
  EXPECT_THAT(mask.pixels, ElementsAre(1, 0, 0, 0, 0, 1));
  EXPECT_EQ(mask.overruns, 2u);
  EXPECT_EQ(decode_mask({.list = {5, INT64_MAX}}, 2, 3).overruns, 1u);
  EXPECT_EQ(decode_mask({.list = {5, 1, 6, 0}}, 2, 3).overruns, 0u);
}

TEST(MaskRuns, AreRefusedWhereTheyAreNone) {
  const auto refusal = [](std::vector<int64_t> list) {
    return error_of([&] { decode_mask({.list = std::move(list), .where = "m.json: 7: mask"}, 2, 3); });
  };
  EXPECT_EQ(refusal({0, 1, 2}), "m.json: 7: mask: 3 numbers; expected pairs of a start and a length");
  EXPECT_EQ(refusal({0, 1, -1, 2}), "m.json: 7: mask: run 1 is -1, 2; expected numbers from 0 on");
  EXPECT_EQ(refusal({0, -4}), "m.json: 7: mask: run 0 is 0, -4; expected numbers from 0 on");
  EXPECT_EQ(refusal({7, 1}), "m.json: 7: mask: run 0 starts at 7; expected a pixel of the image's 2 x 3");
}

TEST(MaskRuns, EncodeIsTheInverse) {
  const std::vector<std::vector<int64_t>> lists = {{}, {0, 6}, {0, 1, 5, 1}, {1, 2, 4, 1}, {3, 3}};
  for (const std::vector<int64_t>& list : lists) EXPECT_EQ(encode_mask(decode_mask({.list = list}, 2, 3).pixels), list);
}

}  // namespace
}  // namespace roundtrip::data
