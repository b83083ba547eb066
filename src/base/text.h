// Text functions that several rooms need: nearest name, joining, Python's spelling of numbers, names in messages.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace roundtrip {

std::string join(std::span<const std::string> parts, std::string_view separator);
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
bool starts_with_any(std::string_view text, std::span<const std::string_view> prefixes);

// Edit distance with transpositions (optimal string alignment).
int edit_distance(std::string_view a, std::string_view b);

// Candidate nearest to `name`; empty if none is near (more than a third of its letters differ).
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

// " Did you mean 'x'?" or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

// Formats a double as Python's repr does: shortest text that reads back, `1.0`, `1e-05`, `inf`, `nan`.
std::string python_repr(double value);

// Checks for complete and valid UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

// Shortens a name or value from a file to 80 bytes for messages, never inside a character. `name_text` also puts it in
// single quotes and on one line.
std::string shortened(std::string text);
std::string name_text(std::string_view name);

// Formats a shape for messages: [2, 4, 16, 16].
std::string shape_text(std::span<const int64_t> shape);

// Formats bytes, seconds and counts for readers: "1.5 GiB", "2 min 05 s", "1.2 M".
std::string bytes_text(double bytes);
std::string seconds_text(double seconds);
std::string count_text(double count);

}  // namespace roundtrip
