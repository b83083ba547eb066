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

// Lexical check: an image that is a link elsewhere is still in the folder.
std::string below_the_folder(const char* key, const std::string& file_name, const std::string& where) {
  const std::filesystem::path path = std::filesystem::path(file_name).lexically_normal();
  if (file_name.empty() || path.is_absolute() || path == "." || path.begin()->string() == "..") {
    throw input_error(where, fmt::format("{} is {}", key, name_text(file_name)),
                      "a path below the folder of the metadata");
  }
  return path.string();
}

std::optional<std::string> file_of(const json& object, const char* key, const std::string& where) {
  const std::optional<std::string> name = text_of(object, key, where);
  return name ? std::optional(below_the_folder(key, *name, where)) : std::nullopt;
}

std::map<std::string, std::string> attributes_of(const json& object, const std::string& where) {
  const auto found = object.find("edit_attributes");
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_object()) {
    throw input_error(where, fmt::format("edit_attributes is a {}", found->type_name()), "an object of strings");
  }
  std::map<std::string, std::string> attributes;
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) {
      throw input_error(where, fmt::format("edit_attributes.{} is a {}", key, value.type_name()), "a string");
    }
    attributes[key] = value.get<std::string>();
  }
  return attributes;
}

// One side of blend_words.
std::vector<std::string> words_of(const json& value, const std::string& where) {
  const std::string expected = "a word or a list of words";
  std::vector<std::string> words;
  for (const json& word : value.is_array() ? value : json::array({value})) {
    if (!word.is_string()) throw input_error(where, fmt::format("blend_words holds a {}", word.type_name()), expected);
    words.push_back(word.get<std::string>());
    if (words.back().empty()) throw input_error(where, "blend_words holds an empty word", expected);
  }
  if (words.empty()) throw input_error(where, "blend_words holds an empty list", expected);
  return words;
}

EditWords edit_words_of(const json& object, const std::string& where) {
  EditWords words;
  if (const auto blend = object.find("blend_words"); blend != object.end() && !blend->is_null()) {
    const std::string expected = "two entries, the words of text and those of target_text";
    if (!blend->is_array()) throw input_error(where, fmt::format("blend_words is a {}", blend->type_name()), expected);
    if (blend->size() != 2)
      throw input_error(where, fmt::format("blend_words has {} entries", blend->size()), expected);
    words.blend_source = words_of(blend->at(0), where);
    words.blend_target = words_of(blend->at(1), where);
  }
  if (const auto factors = object.find("equalizer"); factors != object.end() && !factors->is_null()) {
    if (!factors->is_object()) {
      throw input_error(where, fmt::format("equalizer is a {}", factors->type_name()), "an object of word: number");
    }
    for (const auto& [word, factor] : factors->items()) {
      if (!factor.is_number()) {
        throw input_error(where, fmt::format("equalizer.{} is a {}", word, factor.type_name()), "a number");
      }
      words.equalizer.emplace_back(word, factor.get<double>());
    }
  }
  return words;
}

MetadataLine parse(std::string_view line, const std::string& where) {
  const json object = parse_json(line, where);
  if (!object.is_object()) {
    throw input_error(where, fmt::format("is a JSON {}", object.type_name()), "an object with file_name and text");
  }
  const std::optional<std::string> file_name = file_of(object, "file_name", where);
  if (!file_name) throw input_error(where, "has no file_name", "the path of an image below the folder");
  const std::optional<std::string> target_text = text_of(object, "target_text", where);
  for (const char* key : {"target_image", "mask", "edit"}) {
    if (!target_text && text_of(object, key, where)) {
      throw input_error(where, fmt::format("has {} and no target_text", key), "the prompt that asks for the edit");
    }
  }
  for (const char* key : {"blend_words", "equalizer", "edit_attributes"}) {
    const auto found = object.find(key);
    if (!target_text && found != object.end() && !found->empty()) {
      throw input_error(where, fmt::format("has {} and no target_text", key), "the prompt that asks for the edit");
    }
  }
  return {.file_name = *file_name,
          .text = text_of(object, "text", where),
          .target_text = target_text,
          .target_image = file_of(object, "target_image", where),
          .mask = file_of(object, "mask", where),
          .edit = text_of(object, "edit", where).value_or(""),
          .words = edit_words_of(object, where),
          .attributes = attributes_of(object, where),
          .where = where};
}

// Throws for a repeated image, except for an image with one line for each of its edits.
void check_repeated(const MetadataLine& first, const MetadataLine& again) {
  const std::string repeats = fmt::format("file_name {} repeats {}", name_text(again.file_name), first.where);
  if (!first.target_text || !again.target_text || first.edit == again.edit) {
    throw input_error(again.where, repeats, "an image once, or once for each edit with names that differ");
  }
  if (first.text != again.text) throw input_error(again.where, repeats + " with another text", "one text for an image");
}

}  // namespace

std::vector<MetadataLine> read_metadata(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw input_error(file.string(), "cannot be opened");
  std::vector<MetadataLine> lines;
  std::unordered_map<std::string, std::vector<size_t>> lines_of;  // by file_name
  std::string text;
  for (int number = 1; std::getline(stream, text); ++number) {
    std::string_view line = text;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // a byte order mark
    line = trim(line);
    if (line.empty()) continue;
    MetadataLine parsed = parse(line, fmt::format("{}:{}", file.string(), number));
    std::vector<size_t>& same = lines_of[parsed.file_name];
    for (const size_t earlier : same) check_repeated(lines[earlier], parsed);
    same.push_back(lines.size());
    lines.push_back(std::move(parsed));
  }
  if (stream.bad()) throw input_error(file.string(), "cannot be read to its end");
  return lines;
}

}  // namespace roundtrip::data
