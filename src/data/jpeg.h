// Writer of JPEG files.
#pragma once

#include <filesystem>

#include "data/sample.h"

namespace roundtrip::data {

// `quality` is libjpeg's, 1 to 100; colour is halved along both axes (4:2:0). Throws kInput on failure.
void write_jpeg(const std::filesystem::path& path, const Image& image, int quality);

}  // namespace roundtrip::data
