// Facts of an image file's container that OpenCV does not pass on: the orientation (EXIF 2.3, tag 0x0112, in JPEG, PNG
// and WebP; TIFF's own tag is applied by its decoder), the meaning of TIFF's alpha, and whether a JPEG is complete.
//
// The functions do not trust the file: malformed data counts as absent.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace roundtrip::data {

// Orientation from 1 (upright) to 8, as EXIF numbers them; 1 if the file has none.
int exif_orientation(std::span<const uint8_t> file);

enum class TiffTag : uint32_t { kOrientation = 0x0112, kSamplesPerPixel = 0x0115, kExtraSamples = 0x0152 };

// First value of a tag of type SHORT in the first directory of a TIFF file; nothing for other files.
std::optional<uint32_t> tiff_tag(std::span<const uint8_t> file, TiffTag tag);

// Checks whether a JPEG lacks its end-of-image marker. As OpenCV feeds it, libjpeg leaves missing rows as they are and
// reports success. False for other files.
bool is_jpeg_cut_short(std::span<const uint8_t> file);

}  // namespace roundtrip::data
