// Strict parser for JSON files from outside: nlohmann-json, with Errors for malformed input that it accepts.
//
// It also refuses, beyond RFC 8259's grammar, a duplicate key in one object (nlohmann silently keeps the last), nesting
// deeper than kMaxJsonDepth, and NaN or Infinity.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace roundtrip {

inline constexpr int kMaxJsonDepth = 64;

// Parses `text`, which messages call `where`. Throws kInput.
nlohmann::json parse_json(std::string_view text, std::string_view where);

nlohmann::json read_json(const std::filesystem::path& path);

// Formats a value for messages: one line, ASCII control characters escaped, shortened if long.
std::string json_text(const nlohmann::json& value);

}  // namespace roundtrip
