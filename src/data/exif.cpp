#include "data/exif.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace roundtrip::data {
namespace {

using Bytes = std::span<const uint8_t>;

enum class Endian { kLittle, kBig };

// An unsigned number of `width` bytes; nothing past the end.
std::optional<uint32_t> number(Bytes bytes, size_t at, size_t width, Endian endian) {
  if (at > bytes.size() || bytes.size() - at < width) return std::nullopt;
  uint32_t value = 0;
  for (size_t k = 0; k < width; ++k) {
    value = value << 8 | bytes[at + (endian == Endian::kBig ? k : width - 1 - k)];
  }
  return value;
}

bool says(Bytes bytes, size_t at, std::string_view text) {
  return at <= bytes.size() && bytes.size() - at >= text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin() + static_cast<ptrdiff_t>(at),
                    [](char letter, uint8_t byte) { return static_cast<uint8_t>(letter) == byte; });
}

// From a TIFF header on: byte order, 42, the offset of the first directory, its entries of 12 bytes.
int orientation_in_tiff(Bytes tiff) {
  constexpr uint32_t kOrientationTag = 0x0112, kShort = 3;
  if (!says(tiff, 0, "II") && !says(tiff, 0, "MM")) return 1;
  const Endian endian = tiff[0] == 'I' ? Endian::kLittle : Endian::kBig;
  const uint32_t directory = number(tiff, 4, 4, endian).value_or(0);
  const uint32_t entries = number(tiff, directory, 2, endian).value_or(0);
  for (uint32_t entry = 0; entry < entries; ++entry) {
    const size_t at = size_t{directory} + 2 + size_t{entry} * 12;
    if (number(tiff, at, 2, endian) != kOrientationTag || number(tiff, at + 2, 2, endian) != kShort) continue;
    const uint32_t value = number(tiff, at + 8, 2, endian).value_or(1);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

// The block may start with JPEG's "Exif\0\0" in any container.
int orientation_in_block(Bytes block) {
  constexpr std::string_view kPrefix{"Exif\0\0", 6};
  return orientation_in_tiff(says(block, 0, kPrefix) ? block.subspan(kPrefix.size()) : block);
}

int orientation_in_jpeg(Bytes file) {
  constexpr uint32_t kApp1 = 0xFFE1, kStartOfScan = 0xFFDA;
  for (size_t at = 2;;) {
    const auto marker = number(file, at, 2, Endian::kBig), length = number(file, at + 2, 2, Endian::kBig);
    if (!marker || !length || *marker < 0xFF00 || *marker == kStartOfScan || *length < 2) return 1;
    const size_t end = at + 2 + *length;
    if (*marker == kApp1 && says(file, at + 4, "Exif") && end <= file.size()) {
      return orientation_in_block(file.subspan(at + 4, *length - 2));
    }
    at = end;
  }
}

// PNG chunks are length, type, data, checksum; RIFF chunks type, length, data, padded to even.
int orientation_in_png(Bytes file) {
  for (size_t at = 8;;) {
    const auto length = number(file, at, 4, Endian::kBig);
    if (!length || file.size() - at < 12 || *length > file.size() - at - 12) return 1;
    if (says(file, at + 4, "eXIf")) return orientation_in_block(file.subspan(at + 8, *length));
    at += 12 + size_t{*length};
  }
}

int orientation_in_webp(Bytes file) {
  for (size_t at = 12;;) {
    const auto length = number(file, at + 4, 4, Endian::kLittle);
    if (!length || *length > file.size() - at - 8) return 1;
    if (says(file, at, "EXIF")) return orientation_in_block(file.subspan(at + 8, *length));
    at += 8 + size_t{*length} + (*length & 1);
  }
}

}  // namespace

int exif_orientation(Bytes file) {
  if (says(file, 0, "\xFF\xD8")) return orientation_in_jpeg(file);
  if (says(file, 0, "\x89PNG\r\n\x1A\n")) return orientation_in_png(file);
  if (says(file, 0, "RIFF") && says(file, 8, "WEBP")) return orientation_in_webp(file);
  return 1;
}

}  // namespace roundtrip::data
