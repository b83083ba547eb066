#include "plan/identity.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/section.h"

namespace roundtrip::plan {
namespace {

using hydra::Node;

// How it is carried out, and over which images; under engine.determinism=strict the batch's shape is part of the
// arithmetic and stays.
constexpr std::array kExecutionOnlyKeys = {"expect",          "engine.device", "engine.threads", "engine.max_batch",
                                           "engine.max_live", "engine.memory", "dataset.ids",    "dataset.limit"};

bool is_below(const std::string& key, const std::string& above) {
  return key == above || key.starts_with(above + ".") || key.starts_with(above + "/");
}

std::vector<std::string> files_of_metrics(const Node& config) {
  std::vector<std::string> keys;
  const Node* sections = config.find("metric");
  if (sections == nullptr || !sections->is_dict()) return keys;
  for (const auto& section : sections->dict()) {
    if (!section.value.is_dict()) continue;
    for (const auto& entry : section.value.dict()) {
      const std::string& key = entry.key().text;
      if (config::Params::is_path(key)) keys.push_back(fmt::format("metric.{}.{}", section.key().text, key));
    }
  }
  return keys;
}

// Where the files of a dataset lie: digests stand for them too.
std::vector<std::string> files_of_dataset(const Node& config) {
  std::vector<std::string> keys;
  const Node* section = config.find("dataset");
  if (section == nullptr || !section->is_dict()) return keys;
  for (const auto& entry : section->dict()) {
    const std::string& key = entry.key().text;
    if (config::Params::is_path(key)) keys.push_back("dataset." + key);
  }
  return keys;
}

std::string shown(const Node* node) {
  if (node == nullptr) return "not there";
  return node->is_container() ? "something else" : hydra::python_str(*node);
}

std::string difference(const Node& was, const Node& is, const std::string& path) {
  if (was == is) return "";
  if (!was.is_dict() || !is.is_dict()) return fmt::format("{} was {}, is {}", path, shown(&was), shown(&is));
  const auto at = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  for (const auto& entry : is.dict()) {
    const Node* before = was.dict().find(entry.key().text);
    const std::string name = at(entry.key().text);
    if (before == nullptr) return fmt::format("{} was not there, is {}", name, shown(&entry.value));
    if (std::string found = difference(*before, entry.value, name); !found.empty()) return found;
  }
  for (const auto& entry : was.dict()) {
    const std::string& key = entry.key().text;
    if (is.dict().find(key) == nullptr) return fmt::format("{} was {}, is not there", at(key), shown(&entry.value));
  }
  return "";  // the order of keys
}

}  // namespace

Node deciding_config(const Node& config, const std::vector<std::string>& swept) {
  Node deciding = config;
  const bool strict = hydra::python_str(*config.find("engine.determinism")) == "strict";
  for (const std::string key : kExecutionOnlyKeys) {
    const bool varies = std::ranges::any_of(swept, [&](const std::string& name) { return is_below(key, name); });
    if (!varies && !(strict && key == "engine.max_batch")) deciding.erase(key);
  }
  // Digests stand for files: of weights in the trial's id, of images in the records.
  deciding.erase("model.path");
  for (const std::string& key : files_of_metrics(config)) deciding.erase(key);
  for (const std::string& key : files_of_dataset(config)) {
    const bool varies = std::ranges::any_of(swept, [&](const std::string& name) { return is_below(key, name); });
    if (!varies) deciding.erase(key);
  }
  // Settings of later versions, at the values that they had without a name.
  const auto is = [&](const char* key, const char* text) {
    const Node* value = deciding.find(key);
    return value != nullptr && hydra::python_str(*value) == text;
  };
  if (is("editor.name", "none")) deciding.erase("editor");
  if (is("model.t5_tokens", "None")) deciding.erase("model.t5_tokens");
  if (is("model.shift", "None")) deciding.erase("model.shift");
  if (is("source_prompt", "None")) deciding.erase("source_prompt");
  if (is("pie.protocol", "proper") && is("pie.save", "None") && is("pie.resolution", "None")) deciding.erase("pie");
  return deciding;
}

std::string first_difference(const Node& was, const Node& is) { return difference(was, is, ""); }

}  // namespace roundtrip::plan
