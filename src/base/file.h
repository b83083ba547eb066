// Reads whole files as bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace roundtrip {

// Returns the whole file. Throws kInput if it cannot be read or is longer than `max_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 30);

}  // namespace roundtrip
