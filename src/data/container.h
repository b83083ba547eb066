// What a file says around its pixels and OpenCV does not pass on: how to hold the picture (EXIF 2.3, tag
// 0x0112, in JPEG, PNG and WebP; TIFF's own tag is applied by its decoder), how TIFF means its alpha, whether
// a JPEG is whole.
//
// No function trusts the file: what makes no sense counts as absent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace roundtrip::data {

// 1 (upright) to 8 as EXIF numbers them; 1 where there is none.
int exif_orientation(std::span<const uint8_t> file);

enum class TiffTag : uint32_t { kOrientation = 0x0112, kSamplesPerPixel = 0x0115, kExtraSamples = 0x0152 };

// The first value of a tag of type SHORT in the first directory of a TIFF file; nothing for other files.
std::optional<uint32_t> tiff_tag(std::span<const uint8_t> file, TiffTag tag);

// A JPEG whose end-of-image marker is missing. libjpeg, as OpenCV feeds it, leaves the rows that did not
// arrive as they are and calls that a success. False for other files.
bool is_jpeg_cut_short(std::span<const uint8_t> file);

}  // namespace roundtrip::data
