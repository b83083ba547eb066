// Strict JSON for files that others wrote: nlohmann-json, with what it lets pass turned into Errors.
//
// Refused beyond RFC 8259's grammar: a key twice in one object (nlohmann keeps the last in silence), nesting
// deeper than kMaxJsonDepth, and NaN or Infinity.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace roundtrip {

inline constexpr int kMaxJsonDepth = 64;

// `where` names the text in messages. Throws kInput.
nlohmann::json parse_json(std::string_view text, std::string_view where);

// The whole file as bytes. Throws kInput where it cannot be read or is longer than `max_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 30);

nlohmann::json read_json(const std::filesystem::path& path);

// A value as messages show it: one line, ASCII control characters escaped, cut where it is long.
std::string json_text(const nlohmann::json& value);

// A name out of a file as messages show it: in single quotes, on one line, cut where it is long.
std::string name_text(std::string_view name);

}  // namespace roundtrip
