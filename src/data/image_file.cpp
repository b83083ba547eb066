#include "data/image_file.h"

#include <algorithm>
#include <array>
#include <climits>
#include <new>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "base/text.h"
#include "data/captured_stderr.h"
#include "data/container.h"

namespace roundtrip::data {
namespace {

constexpr std::array<std::string_view, 14> kExtensions = {"bmp", "dib", "jp2", "jpe", "jpeg", "jpg",  "pbm",
                                                          "pgm", "png", "pnm", "ppm", "tif",  "tiff", "webp"};
constexpr const char* kExpected = "a whole image file";

// Returns the last part of a decoder's message, which says what is wrong: "libpng error: IDAT: incorrect data check",
// "[ WARN:0@0.018] global ./grfmt_tiff.cpp (704) readData OpenCV TIFF: cannot ..." or "imdecode_(''): can't read data:
// OpenCV(4.6.0) ...: error: (-2:Unspecified error) Unexpected end of input stream in function 'readBlock'".
std::string reason(std::string text) {
  text = text.substr(0, std::min(text.find('\n'), text.find(" in function")));
  if (const size_t colon = text.rfind(": "); colon != std::string::npos) text.erase(0, colon + 2);
  if (text.starts_with("(-")) text.erase(0, std::min(text.size(), text.find(')') + 2));
  return text;
}

// libjpeg continues after damage, with grey or with earlier rows. Only left-over bytes are harmless.
bool says_damaged(std::string_view line) {
  if (line.starts_with("Premature end of JPEG")) return true;
  return line.starts_with("Corrupt JPEG") && line.find("extraneous bytes") == std::string_view::npos;
}

// OpenCV's limits guard against files of a few bytes that unpack to many gigabytes.
bool says_too_large(std::string_view line) { return line.find("CV_IO_MAX_IMAGE") != std::string_view::npos; }

cv::Mat decode_as_stored(std::span<const uint8_t> bytes, const std::string& name, std::vector<std::string>& notes) {
  if (bytes.empty()) throw input_error(name, "is empty (0 bytes)", "an image");
  if (bytes.size() > INT_MAX) {
    throw input_error(name, fmt::format("holds {} bytes", bytes.size()), "under 2 GiB");
  }
  const std::string too_large = "has more pixels than are read (OpenCV's CV_IO_MAX_IMAGE_PIXELS, _WIDTH, _HEIGHT)";

  cv::Mat stored;
  std::vector<std::string> messages;
  try {
    CapturedStderr capture;
    const cv::Mat file(1, static_cast<int>(bytes.size()), CV_8U, const_cast<uint8_t*>(bytes.data()));
    stored = cv::imdecode(file, cv::IMREAD_UNCHANGED);
    messages = capture.finish();
  } catch (const cv::Exception& exception) {
    if (says_too_large(exception.what())) throw input_error(name, too_large);
    if (exception.code == cv::Error::StsNoMem) throw input_error(name, "does not fit into memory");
    throw input_error(name, fmt::format("cannot be decoded ({})", reason(exception.err)));
  } catch (const std::bad_alloc&) {
    throw input_error(name, "does not fit into memory");
  }
  if (std::ranges::any_of(messages, says_too_large)) throw input_error(name, too_large);
  const std::string why = messages.empty() ? "" : fmt::format(" ({})", reason(messages.front()));
  if (stored.empty()) throw input_error(name, fmt::format("is damaged or no image{}", why), kExpected);
  if (is_jpeg_cut_short(bytes)) throw input_error(name, "is cut short: a JPEG without an end", kExpected);
  if (std::ranges::any_of(messages, says_damaged)) throw input_error(name, "is damaged" + why, kExpected);
  for (const std::string& message : messages) {
    if (message.starts_with("Corrupt JPEG")) notes.push_back(message);
  }
  return stored;
}

void turn_upright(cv::Mat& image, int orientation) {
  constexpr int kVertical = 0, kHorizontal = 1, kBoth = -1;
  if (orientation >= 5) cv::transpose(image, image);  // 5 to 8 are turned by 90 degrees
  switch (orientation) {
    case 2:
    case 6:
      return cv::flip(image, image, kHorizontal);
    case 3:
    case 7:
      return cv::flip(image, image, kBoth);
    case 4:
    case 8:
      return cv::flip(image, image, kVertical);
  }
}

enum class Alpha {
  kStraight,       // colours as they are
  kPremultiplied,  // colours already multiplied by alpha
};

Alpha alpha_of(std::span<const uint8_t> file, const cv::Mat& stored, const std::string& name) {
  constexpr uint32_t kAssociated = 1;
  const std::optional<uint32_t> samples = tiff_tag(file, TiffTag::kSamplesPerPixel);
  if (!samples) return Alpha::kStraight;
  // OpenCV returns the product and drops the factor.
  if (samples == 2u) {
    throw input_error(name, "is a grey TIFF with alpha", "grey without alpha, RGBA, or a PNG");
  }
  // libtiff multiplies 8-bit colours whatever the file says; deeper ones arrive as stored.
  const bool associated = tiff_tag(file, TiffTag::kExtraSamples) == kAssociated;
  return stored.depth() == CV_8U || associated ? Alpha::kPremultiplied : Alpha::kStraight;
}

// `Value` is uint8_t or uint16_t; channels are grey, B G R, or B G R alpha.
template <class Value>
Image to_rgb(const cv::Mat& stored, Alpha convention, bool& any_transparent) {
  constexpr uint64_t kMax = static_cast<Value>(-1), kScale = kMax / 255;  // 1 or 257
  const int channels = stored.channels();
  Image image{.height = stored.rows, .width = stored.cols, .rgb = {}};
  image.rgb.reserve(static_cast<size_t>(stored.rows) * static_cast<size_t>(stored.cols) * 3);
  for (int y = 0; y < stored.rows; ++y) {
    const Value* pixel = stored.ptr<Value>(y);
    for (int x = 0; x < stored.cols; ++x, pixel += channels) {
      const uint64_t alpha = channels == 4 ? pixel[3] : kMax;
      any_transparent |= alpha != kMax;
      for (const int channel : {2, 1, 0}) {
        const uint64_t value = pixel[channels == 1 ? 0 : channel];
        const uint64_t ours = convention == Alpha::kPremultiplied ? std::min(value, alpha) * kMax : value * alpha;
        const uint64_t on_white = ours + kMax * (kMax - alpha);  // in units of 1 / kMax^2
        image.rgb.push_back(static_cast<uint8_t>((on_white + kMax * kScale / 2) / (kMax * kScale)));
      }
    }
  }
  return image;
}

// Like to_rgb, for files of three channels of 8 bits, where only the order of the channels changes. Most files are
// such, and this is about five times as fast.
Image reversed(const cv::Mat& stored) {
  Image image{.height = stored.rows, .width = stored.cols, .rgb = {}};
  image.rgb.resize(stored.total() * 3);
  cv::Mat rgb(stored.size(), CV_8UC3, image.rgb.data());
  cv::cvtColor(stored, rgb, cv::COLOR_BGR2RGB);
  return image;
}

}  // namespace

Decoded decode_image(std::span<const uint8_t> bytes, const std::string& name) {
  Decoded decoded;
  cv::Mat stored = decode_as_stored(bytes, name, decoded.notes);
  if (stored.depth() != CV_8U && stored.depth() != CV_16U) {
    throw input_error(name, fmt::format("has pixels of type {}", cv::depthToString(stored.depth())),
                      "8 or 16 bits without sign");
  }
  const int channels = stored.channels();
  if (channels != 1 && channels != 3 && channels != 4) {
    throw input_error(name, fmt::format("has {} channels", channels), "1 (grey), 3 (colour) or 4 (with alpha)");
  }
  const int orientation = exif_orientation(bytes);
  if (orientation != 1) {
    turn_upright(stored, orientation);
    decoded.notes.push_back(fmt::format("EXIF orientation {} applied", orientation));
  } else if (const uint32_t turned = tiff_tag(bytes, TiffTag::kOrientation).value_or(1); turned != 1) {
    decoded.notes.push_back(fmt::format("TIFF orientation {} applied", turned));  // by OpenCV
  }
  bool any_transparent = false;
  const bool is_deep = stored.depth() == CV_16U;
  const Alpha alpha = alpha_of(bytes, stored, name);
  decoded.image = is_deep         ? to_rgb<uint16_t>(stored, alpha, any_transparent)
                  : channels == 3 ? reversed(stored)
                                  : to_rgb<uint8_t>(stored, alpha, any_transparent);
  if (channels == 4) decoded.notes.push_back(any_transparent ? "alpha composited on white" : "opaque alpha dropped");
  if (channels == 1) decoded.notes.push_back("grey replicated to RGB");
  if (is_deep) decoded.notes.push_back("16 bits to 8");
  return decoded;
}

bool is_image_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  if (extension.empty()) return false;
  extension.erase(0, 1);
  for (char& letter : extension) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

std::string image_extensions() { return fmt::format("{}", fmt::join(kExtensions, ", ")); }

}  // namespace roundtrip::data
