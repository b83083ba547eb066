#include "base/json.h"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace roundtrip {
namespace {

// Removes the bracket from "[json.exception.parse_error.101] parse error at line 1, column 2: ...".
std::string reason(const nlohmann::json::exception& error) {
  std::string text = error.what();
  const size_t prefix = text.find("] ");
  if (prefix != std::string::npos) text.erase(0, prefix + 2);
  std::ranges::replace(text, '\n', ' ');
  // The reason precedes "last read", which may quote the whole file.
  return shortened(text.substr(0, text.find("; last read")));
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

nlohmann::json read_json(const std::filesystem::path& path) { return parse_json(read_file(path), path.string()); }

std::string json_text(const nlohmann::json& value) {
  return shortened(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace roundtrip
