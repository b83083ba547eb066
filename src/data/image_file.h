// Decoder of image files: bytes to 8-bit RGB, upright and opaque.
//
// Every conversion is noted: transparency is composited on white, grey is replicated, 16 bits become 8 (v / 257,
// rounded), the camera's orientation is applied. CMYK and palettes become RGB as OpenCV converts them. Colour profiles
// are not applied. Of several pages or frames, the first is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/sample.h"

namespace roundtrip::data {

struct Decoded {
  Image image;
  std::vector<std::string> notes;
};

// Uses `name` in messages. Throws kInput for a file that is empty, damaged, truncated, too large or not an image.
Decoded decode_image(std::span<const uint8_t> bytes, const std::string& name);

// Decides by the extension, in any letter case.
bool is_image_name(const std::filesystem::path& path);
std::string image_extensions();  // "bmp, dib, jpeg, ...": for messages

}  // namespace roundtrip::data
