#include "data/mapping_reader.h"

#include <algorithm>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "data/image_file.h"
#include "data/mapping_record.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::data {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFolder = "the folder of the images";

bool is_yaml(const fs::path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

Json read_tree(const fs::path& list) {
  const std::string text = read_file(list);
  if (is_yaml(list)) {
    return hydra::to_json(hydra::parse_yaml(text, list.string(), nullptr, {.max_bytes = size_t{64} << 20}));
  }
  parse_json(text, list.string());  // refuses what the parser that keeps the order of keys accepts
  return Json::parse(text);
}

std::string without(std::string text, const std::string& characters) {
  std::erase_if(text, [&](char c) { return characters.find(c) != std::string::npos; });
  return text;
}

// Names of the files beside a missing one, for the nearest.
std::vector<std::string> files_beside(const fs::path& images, const std::string& file) {
  std::vector<std::string> names;
  std::error_code error;
  const fs::path folder = images / fs::path(file).parent_path();
  fs::directory_iterator at(folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    names.push_back(at->path().lexically_relative(images).string());
  }
  return names;
}

class Reader {
 public:
  explicit Reader(const MappingRules& rules) : rules_(rules), fields_(rules.fields) {}

  void add(const MappingRecord& record) {
    const std::optional<MappingRecord::Texts> targets = record.texts(fields_.target);
    if (targets && targets->all.empty()) throw wrong(record, fields_.target, "is an empty list", "a target prompt");
    ListedSample& sample = sample_of(record);
    if (!targets) return;
    for (size_t n = 0; n < targets->all.size(); ++n) add_edit(record, *targets, n, sample);
  }

  std::vector<ListedSample> take() {
    for (ListedSample& sample : samples_) name_edits(sample);
    return std::move(samples_);
  }

 private:
  Error wrong(const MappingRecord& record, const std::vector<std::string>& field, const std::string& found,
              const std::string& expected) const {
    return input_error(record.where(), fmt::format("{} {}", record.name_of(field), found), expected);
  }

  std::string image_of(const MappingRecord& record, const std::string& what, const std::string& name) const {
    const std::string file = below_the_folder(what, name, record.where(), kFolder);
    std::error_code ignored;
    if (!fs::is_regular_file(rules_.images / file, ignored)) {
      throw input_error(record.where(),
                        fmt::format("{} {} does not exist in {}", what, name_text(name), rules_.images.string()),
                        "an image." + did_you_mean(file, files_beside(rules_.images, file)));
    }
    if (!is_image_name(file)) {
      throw input_error(record.where(), fmt::format("{} {} is not an image that is read", what, name_text(name)),
                        "one of the kinds " + image_extensions());
    }
    return file;
  }

  // The sample of the record's image, new or with edits already.
  ListedSample& sample_of(const MappingRecord& record) {
    const std::optional<std::string> name = record.text(fields_.image);
    if (!name) throw wrong(record, fields_.image, "is null", "the name of an image");
    const std::string file = image_of(record, record.name_of(fields_.image), *name);
    std::optional<std::string> text = record.text(fields_.source);
    if (text) text = without(*text, rules_.strip);
    const std::string id = id_of_file(file);
    const auto [at, is_new] = number_of_.emplace(id, samples_.size());
    if (is_new) {
      samples_.push_back({.file = file, .id = id, .text = text});
      where_.push_back(record.where());
      return samples_.back();
    }
    ListedSample& sample = samples_[at->second];
    const std::string& first = where_[at->second];
    if (sample.file != file) {
      throw input_error(record.where(),
                        fmt::format("'{}' and '{}' at {} are both sample '{}'", file, sample.file, first, id),
                        "names that differ in more than their extension");
    }
    if (sample.text != text) {
      throw input_error(record.where(), fmt::format("'{}' has another source prompt than at {}", file, first),
                        "one source prompt for an image");
    }
    if (fields_.target.empty()) {
      throw input_error(record.where(), fmt::format("'{}' repeats {}", file, first), "an image once");
    }
    return sample;
  }

  // The n-th of a field's texts, where the record has a list of target prompts; its only one otherwise.
  std::optional<std::string> nth(const MappingRecord& record, const std::vector<std::string>& field,
                                 const MappingRecord::Texts& targets, size_t n) const {
    const std::optional<MappingRecord::Texts> texts = record.texts(field);
    if (!texts) return std::nullopt;
    if (!texts->is_list) return texts->all.front();
    if (texts->all.size() != targets.all.size()) {
      throw wrong(record, field, fmt::format("has {} entries", texts->all.size()),
                  fmt::format("{}, one for each target prompt", targets.all.size()));
    }
    return texts->all[n];
  }

  void add_edit(const MappingRecord& record, const MappingRecord::Texts& targets, size_t n, ListedSample& sample) {
    ListedEdit edit;
    edit.name.target_prompt = without(targets.all[n], rules_.strip);
    edit.name.name = nth(record, fields_.edit, targets, n).value_or("");
    if (const auto type = nth(record, fields_.type, targets, n)) set_type(record, *type, edit.name);
    if (const auto instruction = nth(record, fields_.instruction, targets, n); instruction && !instruction->empty()) {
      edit.name.attributes["instruction"] = *instruction;
    }
    if (const auto blend = nth(record, fields_.blend, targets, n); blend && !blend->empty()) {
      set_words(*blend, record.name_of(fields_.blend), edit);
    }
    set_mask(record, edit);
    sample.edits.push_back(std::move(edit));
  }

  void set_type(const MappingRecord& record, const std::string& type, EditName& edit) const {
    edit.attributes["type"] = type;
    if (rules_.type_names.empty()) return;
    for (size_t known = 0; known < rules_.type_names.size(); ++known) {
      if (type == std::to_string(known)) {
        edit.attributes["type_name"] = rules_.type_names[known];
        return;
      }
    }
    throw wrong(record, fields_.type, fmt::format("is {}", name_text(type)),
                fmt::format("a number from 0 to {}", rules_.type_names.size() - 1));
  }

  void set_words(const std::string& blend, const std::string& field, ListedEdit& edit) const {
    const std::vector<std::string> words = split(blend, ' ');
    edit.name.blend_words_given = words.size();
    if (words.size() == 1 || words[0].empty() || words[1].empty()) {
      edit.notes.push_back(
          fmt::format("{} is {}, not two words: the edit has no blend words", field, name_text(blend)));
      return;
    }
    if (words.size() > 2) {
      edit.notes.push_back(fmt::format("{} is {}: the words after the second were dropped", field, name_text(blend)));
    }
    edit.name.words.blend_source = {words[0]};
    edit.name.words.blend_target = {words[1]};
    if (rules_.equalizer) edit.name.words.equalizer = {{words[1], *rules_.equalizer}};
  }

  void set_mask(const MappingRecord& record, ListedEdit& edit) const {
    if (fields_.mask.empty()) return;
    if (const std::optional<std::vector<int64_t>> runs = record.numbers(fields_.mask)) {
      edit.runs = {.list = *runs,
                   .border = rules_.mask_border,
                   .where = fmt::format("{}: {}", record.where(), record.name_of(fields_.mask))};
    } else if (const std::optional<std::string> file = record.text(fields_.mask)) {
      edit.mask = image_of(record, record.name_of(fields_.mask), *file);
    }
  }

  // Edits without a name of their own are numbered from 1 if the image has more than one.
  void name_edits(ListedSample& sample) const {
    std::map<std::string, size_t> number_of;
    for (size_t n = 0; n < sample.edits.size(); ++n) {
      std::string& name = sample.edits[n].name.name;
      if (name.empty() && sample.edits.size() > 1) name = std::to_string(n + 1);
      const auto [first, is_new] = number_of.emplace(name, n);
      if (!is_new) {
        throw input_error(where_[number_of_.at(sample.id)],
                          fmt::format("two edits of '{}' are named {}", sample.file, name_text(name)),
                          "names that differ");
      }
    }
  }

  const MappingRules& rules_;
  const MappingFields& fields_;
  std::vector<ListedSample> samples_;
  std::vector<std::string> where_;           // the first record of each
  std::map<std::string, size_t> number_of_;  // by id
};

}  // namespace

std::vector<ListedSample> read_mapping(const MappingRules& rules) {
  const Json tree = read_tree(rules.list);
  const std::string name = rules.list.string();
  if (!tree.is_object() && !tree.is_array()) {
    throw input_error(name, fmt::format("is a {}", tree.type_name()), "an object or a list of records");
  }
  if (tree.empty()) throw input_error(name, "has no record", "at least one");
  Reader reader(rules);
  size_t entry = 0;
  for (const auto& [key, value] : tree.items()) {
    ++entry;
    reader.add({value, tree.is_array() ? fmt::format("{}: entry {}", name, entry)
                                       : fmt::format("{}: {}", name, shortened(key))});
  }
  return reader.take();
}

fs::path find_list(const fs::path& path) {
  std::error_code error;
  if (path.empty()) throw input_error("dataset.path", "is empty", "a list of edits or its folder");
  if (!fs::exists(path, error)) throw input_error("dataset.path", fmt::format("'{}' does not exist", path.string()));
  if (!fs::is_directory(path, error)) return path;
  if (fs::exists(path / "mapping_file.json", error)) return path / "mapping_file.json";
  std::vector<std::string> lists;
  fs::directory_iterator at(path, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    if (at->path().extension() == ".json" || is_yaml(at->path())) lists.push_back(at->path().filename().string());
  }
  std::ranges::sort(lists);
  if (lists.size() == 1) return path / lists.front();
  throw input_error(path.string(),
                    lists.empty() ? "holds no list of edits" : fmt::format("holds {}", join(lists, " and ")),
                    lists.empty() ? "mapping_file.json, or one JSON or YAML file" : "dataset.path to name one of them");
}

}  // namespace roundtrip::data
