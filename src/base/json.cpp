#include "base/json.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace roundtrip {
namespace {

constexpr size_t kLongestShown = 80;  // bytes of a foreign name or value in a message

std::string cut(std::string text) {
  if (text.size() <= kLongestShown) return text;
  size_t to = kLongestShown;
  while (to > 0 && (static_cast<unsigned char>(text[to]) & 0xC0) == 0x80) --to;  // not inside a character
  return text.substr(0, to) + "...";
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: ..." without its first part.
std::string reason(const nlohmann::json::exception& error) {
  std::string text = error.what();
  const size_t prefix = text.find("] ");
  if (prefix != std::string::npos) text.erase(0, prefix + 2);
  std::ranges::replace(text, '\n', ' ');
  // The reason stands before "last read", which may quote the whole file.
  return cut(text.substr(0, text.find("; last read")));
}

}  // namespace

nlohmann::json parse_json(std::string_view text, std::string_view where) {
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> keys_of_open_objects;
  const auto inspect = [&](int depth, Event event, nlohmann::json& parsed) {
    if (depth > kMaxJsonDepth) {
      throw input_error(where, "JSON is nested too deeply", fmt::format("at most {} levels", kMaxJsonDepth));
    }
    if (event == Event::object_start) keys_of_open_objects.emplace_back();
    if (event == Event::object_end) keys_of_open_objects.pop_back();
    if (event == Event::key && !keys_of_open_objects.back().insert(parsed.get<std::string>()).second) {
      throw input_error(where, fmt::format("{} stands twice in one JSON object", name_text(parsed.get<std::string>())),
                        "each key once");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text.begin(), text.end(), inspect);
  } catch (const nlohmann::json::exception& error) {
    throw input_error(where, fmt::format("not valid JSON ({})", reason(error)));
  }
}

std::string read_file(const std::filesystem::path& path, uint64_t max_bytes) {
  std::error_code failure;
  const std::filesystem::file_status status = std::filesystem::status(path, failure);
  if (!std::filesystem::exists(status)) throw input_error(path.string(), "no such file");
  if (!std::filesystem::is_regular_file(status)) throw input_error(path.string(), "not a file");
  const uintmax_t size = std::filesystem::file_size(path, failure);
  if (failure) throw input_error(path.string(), fmt::format("cannot be read ({})", failure.message()));
  if (size > max_bytes) {
    throw input_error(path.string(), fmt::format("{} bytes long", size), fmt::format("at most {}", max_bytes));
  }
  std::ifstream file(path, std::ios::binary);
  std::string bytes(size, '\0');
  if (!file || !file.read(bytes.data(), static_cast<std::streamsize>(size))) {
    throw input_error(path.string(), fmt::format("cannot be read ({})", std::strerror(errno)));
  }
  return bytes;
}

nlohmann::json read_json(const std::filesystem::path& path) { return parse_json(read_file(path), path.string()); }

std::string json_text(const nlohmann::json& value) {
  return cut(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string name_text(std::string_view name) {
  const nlohmann::json value = std::string(name);
  const std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return fmt::format("'{}'", cut(text.substr(1, text.size() - 2)));
}

}  // namespace roundtrip
