#include "data/resample.h"

#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "data/images.h"

namespace roundtrip::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Image fit(const Image& image, int height, int width, Resampling resampling) {
  std::vector<std::string> notes;
  return fit_to_size(image, height, width, resampling, notes);
}

// How far the first values of an image are from those expected.
int worst_difference(const std::vector<uint8_t>& found, const std::vector<int>& expected) {
  EXPECT_GE(found.size(), expected.size());
  int worst = 0;
  for (size_t k = 0; k < expected.size(); ++k) worst = std::max(worst, std::abs(found[k] - expected[k]));
  return worst;
}

// Pillow 13: pattern(11, 14) as `image.resize((4, 4), LANCZOS, box=(1.5, 0, 12.5, 11))`.
TEST(Resample, ShrinksByLanczosAsPillowDoes) {
  const std::vector<int> pillow = {120, 133, 149, 128, 133, 134, 115, 119, 140, 122, 142, 124, 135, 138, 121, 148,
                                   135, 124, 129, 134, 117, 137, 133, 132, 118, 128, 131, 137, 122, 126, 126, 132,
                                   117, 135, 98,  138, 163, 112, 132, 106, 138, 125, 134, 130, 137, 122, 131, 144};
  EXPECT_LE(worst_difference(fit(pattern(11, 14), 4, 4, Resampling::kLanczos).rgb, pillow), 1);
}

// Pillow 13: the first row of `resize((16, 15), LANCZOS, box=(17/15, 0, 193/15, 11))`.
TEST(Resample, EnlargesByLanczosAsPillowDoes) {
  const std::vector<int> pillow = {32,  79, 132, 57,  104, 180, 76,  144, 207, 110, 185, 250, 158, 209, 255, 179,
                                   255, 95, 238, 158, 4,   211, 0,   69,  13,  31,  91,  0,   67,  134, 45,  99,
                                   169, 66, 144, 200, 114, 173, 245, 148, 186, 95,  167, 236, 0,   192, 245, 23};
  EXPECT_LE(worst_difference(fit(pattern(11, 14), 15, 16, Resampling::kLanczos).rgb, pillow), 1);
}

// The same two with BICUBIC, Pillow's default.
TEST(Resample, ShrinksBicubicallyAsPillowDoes) {
  const std::vector<int> pillow = {121, 133, 146, 127, 133, 135, 116, 124, 138, 121, 139, 123, 135, 137, 124, 147,
                                   136, 123, 126, 132, 120, 137, 133, 132, 120, 127, 132, 136, 123, 125, 127, 129,
                                   118, 135, 100, 139, 161, 112, 133, 108, 140, 123, 136, 130, 136, 122, 129, 143};
  EXPECT_LE(worst_difference(fit(pattern(11, 14), 4, 4, Resampling::kBicubic).rgb, pillow), 1);
}

TEST(Resample, EnlargesBicubicallyAsPillowDoes) {
  const std::vector<int> pillow = {32,  85, 138, 58,  110, 175, 84,  144, 206, 114, 180, 236, 153, 207, 255, 181,
                                   253, 96, 220, 159, 23,  209, 3,   70,  15,  41,  96,  4,   69,  132, 43,  101,
                                   165, 71, 138, 192, 110, 166, 235, 140, 192, 98,  166, 226, 0,   192, 245, 28};
  EXPECT_LE(worst_difference(fit(pattern(11, 14), 15, 16, Resampling::kBicubic).rgb, pillow), 1);
}

// Bilinear, of the enlarged picture above.
TEST(Resample, EnlargesByAreaAsPillowDoesBilinearly) {
  const std::vector<int> pillow = {37,  90,  143, 64,  117, 170, 91,  144, 197, 118, 171, 224, 146, 199, 252, 173,
                                   226, 108, 200, 150, 50,  193, 24,  77,  32,  51,  104, 25,  78,  131, 52,  105,
                                   158, 79,  132, 185, 107, 160, 213, 134, 187, 103, 161, 214, 11,  188, 241, 38};
  EXPECT_LE(worst_difference(fit(pattern(11, 14), 15, 16, Resampling::kArea).rgb, pillow), 1);
}

TEST(Resample, ShrinksByAreaAsOpenCvDoes) {
  for (const auto& [height, width] : {std::pair{64, 64}, {45, 45}, {100, 100}}) {
    const Image image = pattern(height, width);
    cv::Mat expected;
    cv::resize(as_mat(image), expected, {32, 32}, 0, 0, cv::INTER_AREA);
    std::vector<int> rgb;
    for (const auto& bgr : cv::Mat_<cv::Vec3b>(expected)) rgb.insert(rgb.end(), {bgr[2], bgr[1], bgr[0]});
    EXPECT_LE(worst_difference(fit(image, 32, 32, Resampling::kArea).rgb, rgb), 1) << height;
  }
}

TEST(Resample, LeavesTheRightSizeBitForBit) {
  std::vector<std::string> notes;
  EXPECT_EQ(fit_to_size(pattern(8, 6), 8, 6, Resampling::kLanczos, notes).rgb, pattern(8, 6).rgb);
  EXPECT_TRUE(notes.empty());
}

// 4x7 to 4x4: columns 1 to 4, although the centre lies between pixels.
TEST(Resample, CropsWholePixelsWhereTheShorterSideFits) {
  std::vector<std::string> notes;
  const Image image = pattern(4, 7);
  const Image cropped = fit_to_size(image, 4, 4, Resampling::kArea, notes);
  for (size_t y = 0; y < 4; ++y) {
    for (size_t k = 0; k < 12; ++k) EXPECT_EQ(cropped.rgb[y * 12 + k], image.rgb[y * 21 + 3 + k]);
  }
  EXPECT_THAT(notes, ElementsAre("cropped from 4x7 (height x width)"));
}

TEST(Resample, SaysWhatItDid) {
  std::vector<std::string> notes;
  fit_to_size(pattern(16, 8), 4, 4, Resampling::kArea, notes);
  fit_to_size(pattern(2, 2), 4, 4, Resampling::kArea, notes);
  fit_to_size(pattern(2, 2), 4, 4, Resampling::kLanczos, notes);
  EXPECT_THAT(notes, ElementsAre("shrunk and cropped from 16x8 (height x width), area",
                                 "enlarged from 2x2 (height x width), bilinear",
                                 "enlarged from 2x2 (height x width), Lanczos"));
}

// The centre of a bright stripe survives, its surroundings are cropped away.
TEST(Resample, CropsTheCentre) {
  Image image{.height = 10, .width = 30, .rgb = std::vector<uint8_t>(10 * 30 * 3, 0)};
  for (int y = 0; y < 10; ++y) {
    for (int x = 10; x < 20; ++x) std::fill_n(image.rgb.begin() + (y * 30 + x) * 3, 3, uint8_t{200});
  }
  EXPECT_THAT(fit(image, 5, 5, Resampling::kArea).rgb, testing::Each(200));
}

TEST(Resample, KeepsConstantsConstant) {
  for (const auto resampling : {Resampling::kArea, Resampling::kLanczos}) {
    for (const int side : {1, 3, 7, 40}) {
      const Image grey{.height = 9, .width = 7, .rgb = std::vector<uint8_t>(9 * 7 * 3, 137)};
      EXPECT_THAT(fit(grey, side, side, resampling).rgb, testing::Each(137)) << side;
    }
  }
}

// A checkerboard of single pixels has no detail left at a quarter of its size: Lanczos without antialiasing
// keeps it.
TEST(Resample, LanczosDoesNotAlias) {
  Image board{.height = 64, .width = 64, .rgb = {}};
  for (int k = 0; k < 64 * 64; ++k) {
    board.rgb.insert(board.rgb.end(), 3, (k / 64 + k % 64) % 2 ? 255 : 0);
  }
  for (const uint8_t value : fit(board, 16, 16, Resampling::kLanczos).rgb) EXPECT_NEAR(value, 127.5, 6);
}

TEST(Resample, SurvivesASliver) {
  const Image fitted = fit(pattern(1, 60000), 16, 16, Resampling::kLanczos);
  EXPECT_EQ(fitted.rgb.size(), 16u * 16 * 3);
}

TEST(Resample, KnowsItsNames) {
  EXPECT_EQ(resampling_named("lanczos"), Resampling::kLanczos);
  EXPECT_THAT(error_of([] { resampling_named("lanzcos"); }, ErrorKind::kType), HasSubstr("Did you mean 'lanczos'?"));
}

}  // namespace
}  // namespace roundtrip::data
