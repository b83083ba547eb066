#include "data/metadata.h"

#include <algorithm>
#include <fstream>
#include <span>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "data/csv.h"
#include "data/listed_dataset.h"

namespace roundtrip::data {
namespace {

using nlohmann::json;

std::optional<std::string> text_of(const json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) throw input_error(where, fmt::format("{} is a {}", key, found->type_name()), "a string");
  return found->get<std::string>();
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

MetadataLine parse(const json& object, const std::string& where) {
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

// Collects lines, each checked against the earlier ones of the same image.
class Lines {
 public:
  void add(MetadataLine line) {
    std::vector<size_t>& same = lines_of_[line.file_name];
    for (const size_t earlier : same) check_repeated(lines_[earlier], line);
    same.push_back(lines_.size());
    lines_.push_back(std::move(line));
  }
  std::vector<MetadataLine> take() { return std::move(lines_); }

 private:
  std::vector<MetadataLine> lines_;
  std::unordered_map<std::string, std::vector<size_t>> lines_of_;  // by file_name
};

std::vector<MetadataLine> read_jsonl(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw input_error(file.string(), "cannot be opened");
  Lines lines;
  std::string text;
  for (int number = 1; std::getline(stream, text); ++number) {
    std::string_view line = text;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // a byte order mark
    line = trim(line);
    if (line.empty()) continue;
    const std::string where = fmt::format("{}:{}", file.string(), number);
    lines.add(parse(parse_json(line, where), where));
  }
  if (stream.bad()) throw input_error(file.string(), "cannot be read to its end");
  return lines.take();
}

// A record of the table as the object that a line of metadata.jsonl would be.
json object_of(const CsvRecord& header, const CsvRecord& record, const std::string& where) {
  if (record.fields.size() != header.fields.size()) {
    throw input_error(where, fmt::format("{} fields", record.fields.size()),
                      fmt::format("{} as in the header", header.fields.size()));
  }
  json object = json::object();
  for (size_t column = 0; column < header.fields.size(); ++column) {
    const std::string& key = header.fields[column];
    const std::string& field = record.fields[column];
    const bool is_json = key == "blend_words" || key == "equalizer" || key == "edit_attributes";
    if (!field.empty()) object[key] = is_json ? parse_json(field, where + ": " + key) : json(field);
  }
  return object;
}

std::vector<MetadataLine> read_csv(const std::filesystem::path& file) {
  const std::vector<CsvRecord> records = parse_csv(read_file(file), file.string());
  if (records.empty()) throw input_error(file.string(), "is empty", "a header with file_name and text");
  const std::vector<std::string>& columns = records.front().fields;
  for (size_t column = 0; column < columns.size(); ++column) {
    if (std::find(columns.begin(), columns.begin() + static_cast<ptrdiff_t>(column), columns[column]) !=
        columns.begin() + static_cast<ptrdiff_t>(column)) {
      throw input_error(fmt::format("{}:{}", file.string(), records.front().line),
                        fmt::format("two columns {}", name_text(columns[column])), "each column once");
    }
  }
  if (std::ranges::find(columns, "file_name") == columns.end()) {
    throw input_error(fmt::format("{}:{}", file.string(), records.front().line),
                      "has no column file_name." + did_you_mean("file_name", columns),
                      "a header with file_name and text");
  }
  Lines lines;
  for (const CsvRecord& record : std::span(records).subspan(1)) {
    const std::string where = fmt::format("{}:{}", file.string(), record.line);
    lines.add(parse(object_of(records.front(), record, where), where));
  }
  return lines.take();
}

}  // namespace

std::vector<MetadataLine> read_metadata(const std::filesystem::path& file) {
  return file.extension() == ".csv" ? read_csv(file) : read_jsonl(file);
}

}  // namespace roundtrip::data
