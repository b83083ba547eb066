// JPEG files as Pillow writes them by default: quality 75 unless told otherwise, colour at half resolution (4:2:0).
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/sample.h"

namespace roundtrip::data {

// Returns the bytes of a file. `quality` is libjpeg's, 1 to 100.
std::vector<uint8_t> encode_jpeg(const Image& image, int quality = 75);

// Throws kInput on failure.
void write_jpeg(const std::filesystem::path& path, const Image& image, int quality = 75);

}  // namespace roundtrip::data
