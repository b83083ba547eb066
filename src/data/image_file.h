// The bytes of an image file -> 8-bit RGB, upright, opaque.
//
// Whatever has to be done for that is done and said: transparency is composited on white, grey replicated, 16
// bits brought to 8 (v / 257, rounded), the camera's orientation applied. CMYK and palettes become RGB as
// OpenCV does it. Colour profiles are not applied; of several pages or frames the first is read.
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

// `name` stands in messages. Throws kInput for what is empty, damaged, cut short, too large or no image at
// all.
Decoded decode_image(std::span<const uint8_t> bytes, const std::string& name);

// By extension, in any case of letters.
bool is_image_name(const std::filesystem::path& path);
std::string image_extensions();  // "bmp, dib, jpeg, ...": for messages

}  // namespace roundtrip::data
