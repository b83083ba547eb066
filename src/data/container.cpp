#include "data/container.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace roundtrip::data {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr std::string_view kJpegStart = "\xFF\xD8";

enum class Endian { kLittle, kBig };

// Unsigned number of `width` bytes; nothing past the end.
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

}  // namespace

// Reads on from a TIFF header: byte order, 42, the offset of the first directory; entries of 12 bytes: tag, type,
// count, value.
std::optional<uint32_t> tiff_tag(Bytes file, TiffTag tag) {
  constexpr uint32_t kShort = 3;
  if (!says(file, 0, {"II*\0", 4}) && !says(file, 0, {"MM\0*", 4})) return std::nullopt;
  const Endian endian = file[0] == 'I' ? Endian::kLittle : Endian::kBig;
  const uint32_t directory = number(file, 4, 4, endian).value_or(0);
  const uint32_t entries = number(file, directory, 2, endian).value_or(0);
  for (uint32_t entry = 0; entry < entries; ++entry) {
    const size_t at = size_t{directory} + 2 + size_t{entry} * 12;
    const bool is_it = number(file, at, 2, endian) == static_cast<uint32_t>(tag);
    if (is_it && number(file, at + 2, 2, endian) == kShort) return number(file, at + 8, 2, endian);
  }
  return std::nullopt;
}

namespace {

// The block may start with JPEG's "Exif\0\0" in any container.
int orientation_in_block(Bytes block) {
  constexpr std::string_view kPrefix{"Exif\0\0", 6};
  const Bytes tiff = says(block, 0, kPrefix) ? block.subspan(kPrefix.size()) : block;
  const uint32_t orientation = tiff_tag(tiff, TiffTag::kOrientation).value_or(1);
  return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
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
  if (says(file, 0, kJpegStart)) return orientation_in_jpeg(file);
  if (says(file, 0, "\x89PNG\r\n\x1A\n")) return orientation_in_png(file);
  if (says(file, 0, "RIFF") && says(file, 8, "WEBP")) return orientation_in_webp(file);
  return 1;
}

// A marker is FF and a code. A segment has a length. A scan's data runs up to the next marker, with FF 00 and FF D0 to
// D7 (restarts) as part of it. The walk is needed because an embedded thumbnail, inside a segment, has an end marker
// too.
bool is_jpeg_cut_short(Bytes file) {
  constexpr uint32_t kEndOfImage = 0xD9, kStartOfScan = 0xDA;
  if (!says(file, 0, kJpegStart)) return false;
  const auto is_alone = [](uint32_t code) { return code == 0 || code == 1 || (code >= 0xD0 && code <= 0xD7); };
  bool in_scan = false;
  for (size_t at = 2; at + 1 < file.size();) {
    const uint32_t code = file[at + 1];
    if (file[at] != 0xFF || code == 0xFF || (in_scan && is_alone(code))) {
      ++at;  // scan data, or fill bytes before a marker
      continue;
    }
    if (code == kEndOfImage) return false;
    const size_t length = is_alone(code) ? 0 : number(file, at + 2, 2, Endian::kBig).value_or(0);
    in_scan = code == kStartOfScan;
    at += 2 + length;
  }
  return true;
}

}  // namespace roundtrip::data
