// Images to PNG files.
#pragma once

#include <filesystem>

#include "data/sample.h"

namespace roundtrip::data {

// Written under another name first, so that a file with the final name is whole. Throws kInput where it cannot be.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace roundtrip::data
