#include "data/metadata.h"

#include <fstream>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace roundtrip::data {
namespace {

using nlohmann::json;

std::optional<std::string> text_of(const json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) throw input_error(where, fmt::format("{} is a {}", key, found->type_name()), "a string");
  return found->get<std::string>();
}

// Lexical: an image that is a link elsewhere is still in the folder.
std::string below_the_folder(const std::string& file_name, const std::string& where) {
  const std::filesystem::path path = std::filesystem::path(file_name).lexically_normal();
  if (file_name.empty() || path.is_absolute() || path == "." || path.begin()->string() == "..") {
    throw input_error(where, "file_name is " + name_text(file_name), "a path below the folder of the metadata");
  }
  return path.string();
}

MetadataLine parse(std::string_view line, const std::string& where) {
  const json object = parse_json(line, where);
  if (!object.is_object()) {
    throw input_error(where, fmt::format("is a JSON {}", object.type_name()), "an object with file_name and text");
  }
  const std::optional<std::string> file_name = text_of(object, "file_name", where);
  if (!file_name) throw input_error(where, "has no file_name", "the path of an image below the folder");
  return {.file_name = below_the_folder(*file_name, where),
          .text = text_of(object, "text", where),
          .target_text = text_of(object, "target_text", where),
          .where = where};
}

}  // namespace

std::vector<MetadataLine> read_metadata(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw input_error(file.string(), "cannot be opened");
  std::vector<MetadataLine> lines;
  std::unordered_map<std::string, int> line_of;
  std::string text;
  for (int number = 1; std::getline(stream, text); ++number) {
    std::string_view line = text;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // a byte order mark
    line = trim(line);
    if (line.empty()) continue;
    MetadataLine parsed = parse(line, fmt::format("{}:{}", file.string(), number));
    const auto [first, is_new] = line_of.emplace(parsed.file_name, number);
    if (!is_new) {
      throw input_error(parsed.where,
                        fmt::format("file_name {} repeats line {}", name_text(parsed.file_name), first->second));
    }
    lines.push_back(std::move(parsed));
  }
  if (stream.bad()) throw input_error(file.string(), "cannot be read to its end");
  return lines;
}

}  // namespace roundtrip::data
