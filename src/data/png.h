// Writer of PNG files.
#pragma once

#include <filesystem>

#include "data/sample.h"

namespace roundtrip::data {

// Writes under another name first, so that a file with the final name is complete. Throws kInput on failure.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace roundtrip::data
