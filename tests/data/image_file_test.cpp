#include "data/image_file.h"

#include <array>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/images.h"

namespace roundtrip::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Decoded decode(const std::string& bytes) {
  return decode_image({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "x.png");
}

std::string refusal(const std::string& bytes) {
  return error_of([&] { decode(bytes); });
}

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

// A TIFF directory with the orientation alone, as EXIF blocks hold it.
std::string exif(char orientation, bool big) {
  using namespace std::string_literals;
  return big ? "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + orientation + "\0\0\0\0\0\0"s
             : "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + orientation + "\0\0\0\0\0\0\0"s;
}

constexpr int kPremultiplied = 1, kStraight = 2;

// A TIFF of one pixel with alpha, its values 0 to 255 spread over `bits`; `extra` says what its alpha means.
std::string tiff_pixel(const std::vector<int>& values, int bits, int extra) {
  std::string tail;
  const auto append = [&tail](std::string& text, uint32_t value, int bytes) {
    for (int k = 0; k < bytes; ++k) text += static_cast<char>(value >> 8 * k);
  };
  const auto samples = static_cast<uint32_t>(values.size());
  constexpr uint32_t kEntries = 11, kTail = 8 + 2 + 12 * kEntries + 4;
  for (uint32_t k = 0; k < 4; ++k) append(tail, static_cast<uint32_t>(bits), 2);  // bits per sample, where 4
  const uint32_t bits_field = samples == 2 ? static_cast<uint32_t>(bits | bits << 16) : kTail;
  for (const int value : values) append(tail, static_cast<uint32_t>(bits == 8 ? value : value * 257), bits / 8);
  // Width, height, bits, compression, photometric, strip offset, samples, rows, strip bytes, planes, extra
  // samples.
  const uint32_t entries[kEntries][3] = {{256, 1, 1},
                                         {257, 1, 1},
                                         {258, samples, bits_field},
                                         {259, 1, 1},
                                         {262, 1, samples == 2 ? 1u : 2u},
                                         {273, 1, kTail + 8},
                                         {277, 1, samples},
                                         {278, 1, 1},
                                         {279, 1, samples * bits / 8},
                                         {284, 1, 1},
                                         {338, 1, static_cast<uint32_t>(extra)}};
  std::string file("II*\0\x08\0\0\0", 8);
  append(file, kEntries, 2);
  for (const auto& [tag, count, value] : entries) {
    append(file, tag, 2);
    append(file, 3, 2);  // SHORT
    append(file, count, 4);
    append(file, value, 4);
  }
  append(file, 0, 4);
  return file + tail;
}

std::string jpeg_with_exif(const std::string& jpeg, const std::string& block) {
  const std::string segment = std::string("Exif\0\0", 6) + block;
  const size_t length = segment.size() + 2;
  return jpeg.substr(0, 2) + "\xFF\xE1" + static_cast<char>(length >> 8) + static_cast<char>(length) + segment +
         jpeg.substr(2);
}

// After the signature and IHDR. The checksum is not looked at by our reader, and OpenCV's skips unknown
// chunks with a wrong one.
std::string png_with_exif(const std::string& png, const std::string& block) {
  return png.substr(0, 33) + big_endian(static_cast<uint32_t>(block.size())) + "eXIf" + block + "0000" + png.substr(33);
}

TEST(ImageFile, ReadsLosslessKindsExactly) {
  for (const char* extension : {".png", ".bmp", ".tif", ".ppm"}) {
    const Decoded decoded = decode(encoded(as_mat(pattern(5, 7)), extension));
    EXPECT_EQ(decoded.image.height, 5) << extension;
    EXPECT_EQ(decoded.image.width, 7) << extension;
    EXPECT_EQ(decoded.image.rgb, pattern(5, 7).rgb) << extension;
    EXPECT_THAT(decoded.notes, IsEmpty()) << extension;
  }
}

TEST(ImageFile, ReadsJpegAndWebp) {
  const cv::Mat grey(16, 16, CV_8UC3, cv::Scalar(30, 90, 200));
  for (const char* extension : {".jpg", ".webp"}) {
    const Decoded decoded = decode(encoded(grey, extension));
    EXPECT_NEAR(decoded.image.rgb[0], 200, 4) << extension;
    EXPECT_NEAR(decoded.image.rgb[1], 90, 4) << extension;
    EXPECT_NEAR(decoded.image.rgb[2], 30, 4) << extension;
  }
}

TEST(ImageFile, ReplicatesGrey) {
  const cv::Mat grey = (cv::Mat_<uchar>(1, 2) << 7, 250);
  const Decoded decoded = decode(encoded(grey, ".png"));
  EXPECT_THAT(decoded.image.rgb, ElementsAre(7, 7, 7, 250, 250, 250));
  EXPECT_THAT(decoded.notes, ElementsAre("grey replicated to RGB"));
}

TEST(ImageFile, CompositesAlphaOnWhite) {
  cv::Mat image(1, 3, CV_8UC4);
  image.at<cv::Vec4b>(0, 0) = {10, 20, 30, 255};
  image.at<cv::Vec4b>(0, 1) = {10, 20, 30, 0};
  image.at<cv::Vec4b>(0, 2) = {0, 100, 200, 51};  // a fifth
  const Decoded decoded = decode(encoded(image, ".png"));
  EXPECT_THAT(decoded.image.rgb, ElementsAre(30, 20, 10, 255, 255, 255, 244, 224, 204));
  EXPECT_THAT(decoded.notes, ElementsAre("alpha composited on white"));
}

TEST(ImageFile, DropsAnOpaqueAlpha) {
  const Decoded decoded = decode(encoded(cv::Mat(1, 1, CV_8UC4, cv::Scalar(1, 2, 3, 255)), ".png"));
  EXPECT_THAT(decoded.image.rgb, ElementsAre(3, 2, 1));
  EXPECT_THAT(decoded.notes, ElementsAre("opaque alpha dropped"));
}

// Straight alpha in either depth gives what a PNG gives; libtiff multiplies the 8-bit one on the way.
TEST(ImageFile, CompositesStraightAlphaOfTiff) {
  EXPECT_THAT(decode(tiff_pixel({200, 100, 0, 51}, 8, kStraight)).image.rgb, ElementsAre(244, 224, 204));
  EXPECT_THAT(decode(tiff_pixel({200, 100, 0, 51}, 16, kStraight)).image.rgb, ElementsAre(244, 224, 204));
}

TEST(ImageFile, CompositesPremultipliedAlphaOfTiff) {
  EXPECT_THAT(decode(tiff_pixel({40, 20, 0, 51}, 8, kPremultiplied)).image.rgb, ElementsAre(244, 224, 204));
  EXPECT_THAT(decode(tiff_pixel({40, 20, 0, 51}, 16, kPremultiplied)).image.rgb, ElementsAre(244, 224, 204));
}

TEST(ImageFile, RefusesGreyTiffWithAlpha) {
  EXPECT_THAT(refusal(tiff_pixel({200, 51}, 8, kStraight)), HasSubstr("x.png: is a grey TIFF with alpha"));
}

TEST(ImageFile, BringsSixteenBitsToEight) {
  const cv::Mat deep = (cv::Mat_<ushort>(1, 6) << 0, 128, 129, 257 * 100, 257 * 100 + 129, 65535);
  const Decoded decoded = decode(encoded(deep, ".png"));
  EXPECT_THAT(decoded.image.rgb, ElementsAre(0, 0, 0, 0, 0, 0, 1, 1, 1, 100, 100, 100, 101, 101, 101, 255, 255, 255));
  EXPECT_THAT(decoded.notes, ElementsAre("grey replicated to RGB", "16 bits to 8"));
}

// A picture of 2x3 with one bright corner, top left: EXIF's number says where that corner is to be.
TEST(ImageFile, AppliesTheCamerasOrientation) {
  cv::Mat stored(16, 24, CV_8UC3, cv::Scalar::all(20));
  stored(cv::Rect(0, 0, 8, 8)) = cv::Scalar::all(230);
  // Orientation, then whether the bright corner ends at the bottom and at the right.
  const std::vector<std::tuple<int, bool, bool>> cases = {{1, false, false}, {2, false, true},  {3, true, true},
                                                          {4, true, false},  {5, false, false}, {6, false, true},
                                                          {7, true, true},   {8, true, false}};
  for (const auto& [orientation, bottom, right] : cases) {
    for (const bool big : {false, true}) {
      const std::string block = exif(static_cast<char>(orientation), big);
      for (const std::string& file :
           {jpeg_with_exif(encoded(stored, ".jpg"), block), png_with_exif(encoded(stored, ".png"), block)}) {
        const auto [image, notes] = decode(file);
        const bool on_its_side = orientation >= 5;
        ASSERT_EQ(image.height, on_its_side ? 24 : 16) << orientation;
        ASSERT_EQ(image.width, on_its_side ? 16 : 24) << orientation;
        const int y = bottom ? image.height - 3 : 2, x = right ? image.width - 3 : 2;
        EXPECT_NEAR(image.rgb[static_cast<size_t>(y * image.width + x) * 3], 230, 6) << orientation;
        EXPECT_EQ(notes.size(), orientation == 1 ? 0u : 1u) << orientation;
      }
    }
  }
}

TEST(ImageFile, IgnoresAnOrientationThatMakesNoSense) {
  using namespace std::string_literals;
  const std::string jpeg = encoded(as_mat(pattern(8, 16)), ".jpg");
  for (const std::string& block : {exif(0, false), exif(9, true), "II*\0\xFF\xFF\xFF\xFF"s, "MM\0*\0\0\0\x08\xFF\xFF"s,
                                   "II"s, ""s, exif(6, false).substr(0, 19)}) {
    const Decoded decoded = decode(jpeg_with_exif(jpeg, block));
    EXPECT_EQ(decoded.image.width, 16);
    EXPECT_THAT(decoded.notes, IsEmpty());
  }
}

TEST(ImageFile, RefusesWhatIsCutShort) {
  cv::Mat noise(64, 64, CV_8UC3);
  cv::randu(noise, 0, 256);
  for (const char* extension : {".png", ".jpg", ".bmp", ".tif", ".webp", ".ppm", ".jp2"}) {
    const std::string whole = encoded(noise, extension);
    ASSERT_EQ(refusal(whole), "no error") << extension;
    for (const double share : {0.3, 0.6, 0.9}) {
      const std::string part = whole.substr(0, static_cast<size_t>(share * static_cast<double>(whole.size())));
      EXPECT_THAT(refusal(part), AllOf(HasSubstr("x.png: is "), HasSubstr("expected a whole image file")))
          << extension << " " << share;
    }
  }
}

// The end marker of an embedded thumbnail is not the end of the picture.
TEST(ImageFile, RefusesACutJpegWithAThumbnail) {
  const std::string whole = encoded(as_mat(pattern(64, 64)), ".jpg");
  const std::string thumbnail = encoded(as_mat(pattern(4, 4)), ".jpg");
  EXPECT_EQ(refusal(jpeg_with_exif(whole, thumbnail)), "no error");
  EXPECT_THAT(refusal(jpeg_with_exif(whole, thumbnail).substr(0, whole.size())), HasSubstr("cut short"));
}

TEST(ImageFile, RefusesDamage) {
  std::string png = encoded(as_mat(pattern(64, 64)), ".png");
  png[png.size() / 2] = static_cast<char>(~png[png.size() / 2]);
  EXPECT_THAT(refusal(png), HasSubstr("x.png: is damaged"));
}

TEST(ImageFile, RefusesWhatIsNoImage) {
  EXPECT_EQ(refusal(""), "x.png: is empty (0 bytes); expected an image");
  EXPECT_EQ(refusal("hello"), "x.png: is damaged or no image; expected a whole image file");
  EXPECT_THAT(refusal(std::string(100, '\0')), HasSubstr("no image"));
}

// 40 bytes that claim ten thousand million pixels.
TEST(ImageFile, RefusesADecompressionBomb) {
  EXPECT_THAT(refusal("P6 100000 100000 255\n0"), HasSubstr("x.png: has more pixels than are read"));
}

TEST(ImageFile, RefusesFloatingPoint) {
  EXPECT_EQ(refusal(encoded(cv::Mat(2, 2, CV_32FC3, cv::Scalar::all(0.5)), ".tiff")),
            "x.png: has pixels of type CV_32F; expected 8 or 16 bits without sign");
}

TEST(ImageFile, KnowsImagesByExtension) {
  for (const char* name : {"a.png", "a.JPG", "b/a.Jpeg", "a.webp", "a.tif", "a.b.ppm"}) {
    EXPECT_TRUE(is_image_name(name)) << name;
  }
  for (const char* name : {"a", "a.", "a.gif", "png", "a.png.txt", "metadata.jsonl"}) {
    EXPECT_FALSE(is_image_name(name)) << name;
  }
}

}  // namespace
}  // namespace roundtrip::data
