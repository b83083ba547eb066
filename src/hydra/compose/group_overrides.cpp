#include "hydra/compose/group_overrides.h"

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::hydra {
namespace {

Choices choices_of(const Node& value, const Override& item) {
  if (value.is_string()) return value.as_string();
  if (!value.is_list()) {
    throw Error(
        ErrorKind::kCompose,
        fmt::format("Config group override must be a string or a list. Got {}", kind_name(value.kind())),
        fmt::format("  {}{}", item.input,
                    value.is_null() ? fmt::format("; to leave the group out use ~{}", item.key_and_package()) : ""));
  }
  std::vector<std::string> options;
  for (const Node& option : value.list()) options.push_back(python_str(option));
  return options;
}

}  // namespace

GroupOverrides::GroupOverrides(const std::vector<Override>& overrides) {
  for (const Override& item : overrides) add(item);
}

void GroupOverrides::add_entry(const DefaultsEntry& entry, const std::string& parent, int list) {
  const std::string key = entry.override_key();
  const auto there = choices_.find(key);
  if (there == choices_.end()) {
    choices_[key] = {entry.value, parent, list, false};
    order_.push_back(key);
  } else if (there->second.list == list) {
    there->second.value = entry.value;
  }
}

void GroupOverrides::apply(DefaultsEntry& entry) {
  if (!entry.is_group) return;
  const auto found = choices_.find(entry.override_key());
  if (found == choices_.end()) return;
  entry.value = found->second.value;
  found->second.used = true;
}

bool GroupOverrides::deletes(const DefaultsEntry& entry) {
  if (!entry.is_group) return false;
  const auto found = deletions_.find(entry.override_key());
  if (found == deletions_.end() || (found->second.option && *found->second.option != entry.single())) return false;
  found->second.used = true;
  return true;
}

void GroupOverrides::set_known(const DefaultsEntry& entry) {
  if (!entry.is_group) return;
  const std::string key = entry.override_key();
  const Node value = entry.is_null() ? Node() : Node(entry.single());
  const auto there = known.find(key);
  if (there != known.end() && !(there->second == value)) {
    throw Error(ErrorKind::kCompose,
                fmt::format("Multiple values for {}. To override a value use 'override {}: {}'", key, key,
                            python_str(there->second)),
                entry.appended ? fmt::format("'{}' is in the defaults list already: drop the + to choose another "
                                             "option",
                                             key)
                               : "");
  }
  known.emplace(key, value);
  known_by_group_[entry.group_path()].insert(key);
}

void GroupOverrides::ensure_all_used() const {
  for (const std::string& key : order_) {
    const Choice& choice = choices_.at(key);
    if (!choice.used) unused(key, choice);
  }
  for (const auto& [key, deletion] : deletions_) {
    if (deletion.used) continue;
    throw Error(ErrorKind::kCompose, fmt::format("Could not delete '{}{}'. No match in the defaults list", key,
                                                 deletion.option ? "=" + *deletion.option : ""));
  }
}

void GroupOverrides::add(const Override& item) {
  if (item.type == Override::Type::kForceAdd) {
    throw Error(ErrorKind::kCompose, fmt::format("force-add of config groups is not supported: '{}'", item.input));
  }
  const Node value = item.value ? to_node(*item.value) : Node();
  if (item.type == Override::Type::kDelete) {
    if (!value.is_null() && !value.is_string()) {
      throw Error(ErrorKind::kCompose,
                  fmt::format("Config group override deletion value must be a string : {}", item.input));
    }
    deletions_[item.key_and_package()] = {value.is_null() ? std::nullopt : std::optional(value.as_string())};
    return;
  }
  const Choices chosen = choices_of(value, item);
  if (item.type == Override::Type::kAdd) {
    DefaultsEntry entry;
    entry.is_group = true;
    entry.name = item.key;
    entry.value = chosen;
    entry.package = item.package == "_here_" ? std::optional<std::string>("") : item.package;
    entry.appended = true;
    appended.push_back(std::move(entry));
    return;
  }
  const std::string key = item.key_and_package();
  if (choices_.count(key) == 0) order_.push_back(key);
  choices_[key] = {chosen, "", -1, false};
}

void GroupOverrides::unused(const std::string& key, const Choice& choice) const {
  const auto group = known_by_group_.find(key.substr(0, key.find('@')));
  std::string message = fmt::format("Could not override '{}'.", key);
  std::string details;
  if (group == known_by_group_.end() || group->second.empty()) {
    message += " No match in the defaults list.";
  } else if (group->second.size() == 1) {
    details = fmt::format("Did you mean to override {}?", *group->second.begin());
  } else {
    details = fmt::format("Did you mean to override one of {}?",
                          join(std::vector<std::string>(group->second.begin(), group->second.end()), ", "));
  }
  if (choice.parent.empty()) {
    const auto* option = std::get_if<std::string>(&choice.value);
    const auto* list = std::get_if<std::vector<std::string>>(&choice.value);
    details += fmt::format("{}To append to your default list use +{}={}", details.empty() ? "" : "\n", key,
                           option != nullptr ? *option
                           : list != nullptr ? "[" + join(*list, ",") + "]"
                                             : "null");
  } else {
    message = fmt::format("In '{}': {}", choice.parent, message);
  }
  throw Error(ErrorKind::kCompose, message, details);
}

}  // namespace roundtrip::hydra
