// Strict JSON for files that others wrote: nlohmann-json, with what it lets pass turned into Errors.
//
// Refused beyond RFC 8259's grammar: a key twice in one object (nlohmann keeps the last in silence), nesting
// deeper than kMaxJsonDepth, and NaN or Infinity.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace roundtrip {

inline constexpr int kMaxJsonDepth = 64;

// `where` names the text in messages. Throws kInput.
nlohmann::json parse_json(std::string_view text, std::string_view where);

nlohmann::json read_json(const std::filesystem::path& path);

// A value as messages show it: one line, ASCII control characters escaped, cut where it is long.
std::string json_text(const nlohmann::json& value);

}  // namespace roundtrip
