#include "hydra/compose/renamed_keys.h"

#include <algorithm>

#include <fmt/format.h>

namespace roundtrip::hydra {
namespace {

std::vector<RenamedKey>& all_renamed() {
  static std::vector<RenamedKey> keys;
  return keys;
}

void warn(std::vector<std::string>& warnings, const std::string& place, const std::string& old_name,
          const std::string& name) {
  const std::string text = fmt::format("{}{} is now called {}; the old name still works", place, old_name, name);
  if (std::ranges::find(warnings, text) == warnings.end()) warnings.push_back(text);
}

// Every value below `from` that is not null takes its place below `to`, where only a null may stand.
void move_below(const Node& from, const std::string& old_path, const std::string& path, Node& config,
                std::vector<std::string>& warnings) {
  if (from.is_dict()) {
    for (const auto& entry : from.dict()) {
      const std::string& key = entry.key().text;
      move_below(entry.value, old_path + "." + key, path + "." + key, config, warnings);
    }
    return;
  }
  const Node* there = config.find(path);
  if (there == nullptr || there->is_null()) config.set(path, from);
  warn(warnings, from.mark().known() ? from.mark().text() + ": " : "", old_path, path);
}

}  // namespace

RenamedKey::RenamedKey(std::string_view old_name, std::string_view name) : old_name(old_name), name(name) {
  all_renamed().push_back(*this);
}

std::optional<std::string> renamed(std::string_view key) {
  for (const RenamedKey& each : all_renamed()) {
    const bool below = key.starts_with(each.old_name) && key.substr(each.old_name.size()).starts_with('.');
    if (key == each.old_name || below) return std::string(each.name) + std::string(key.substr(each.old_name.size()));
  }
  return std::nullopt;
}

void rename_keys(std::vector<Override>& overrides, std::vector<std::string>& warnings) {
  for (Override& item : overrides) {
    const std::optional<std::string> name = renamed(item.key);
    if (!name) continue;
    warn(warnings, "command line: ", item.key, *name);
    item.key = *name;
  }
}

void rename_keys(Node& config, std::vector<std::string>& warnings) {
  if (!config.is_dict()) return;
  for (const RenamedKey& each : all_renamed()) {
    const std::string old_name(each.old_name);
    const Node* found = config.find(old_name);
    if (found == nullptr) continue;
    const Node value = *found;
    config.erase(old_name);
    move_below(value, old_name, std::string(each.name), config, warnings);
  }
}

}  // namespace roundtrip::hydra
