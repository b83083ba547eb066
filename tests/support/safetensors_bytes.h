// Bytes of a safetensors file, from a header and data that may disagree.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace roundtrip::testing {

inline std::string length_bytes(uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes;
}

inline std::string file_bytes(std::string_view header, std::string_view data) {
  return fmt::format("{}{}{}", length_bytes(header.size()), header, data);
}

}  // namespace roundtrip::testing
