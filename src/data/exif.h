// The orientation that a camera stored beside an image (EXIF 2.3, tag 0x0112), from JPEG, PNG and WebP files.
//
// Reads nothing else. TIFF keeps the same tag in its own directory, which its decoder applies.
#pragma once

#include <cstdint>
#include <span>

namespace roundtrip::data {

// 1 (upright) to 8 as EXIF numbers them; 1 where there is none or it makes no sense.
int exif_orientation(std::span<const uint8_t> file);

}  // namespace roundtrip::data
