#include "hydra/compose/value_override.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "hydra/compose/merge.h"
#include "hydra/interpolation/evaluator.h"
#include "hydra/tree/python_equal.h"

namespace roundtrip::hydra {
namespace {

[[noreturn]] void cannot_merge(const Override& item, const std::string& why) {
  throw Error(ErrorKind::kCompose, fmt::format("Error merging override {}", item.input), why);
}

// Every dotted path of the tree, for suggestions.
void add_paths(const Node& node, const std::string& path, std::vector<std::string>& paths) {
  if (!node.is_dict()) return;
  for (const auto& entry : node.dict()) {
    const std::string below = join_path(path, entry.key().text);
    paths.push_back(below);
    add_paths(entry.value, below, paths);
  }
}

// Throws for a key that the closed tree does not have.
[[noreturn]] void not_in_struct(const Node& root, const Override& item, const std::string& full_key) {
  std::vector<std::string> paths;
  add_paths(root, "", paths);
  const std::string key = full_key.substr(full_key.rfind('.') + 1);
  const bool hydra = full_key.starts_with("hydra.");
  std::string details =
      fmt::format("To append to your config use +{}\nKey '{}' {}\n    full_key: {}\n    object_type={}", item.input,
                  key, hydra ? "not in 'HydraConf'" : "is not in struct", full_key, hydra ? "HydraConf" : "dict");
  std::string near = nearest_name(full_key, paths);
  if (near.empty()) {  // the right name in another section, or without its section
    for (const std::string& path : paths) {
      if (path.substr(path.rfind('.') + 1) == key) near = path;
    }
  }
  if (!near.empty()) {
    const std::string at = root.find(near)->mark().text();
    details += fmt::format("\nDid you mean '{}'?{}", near, at.empty() ? "" : " (" + at + ")");
  }
  throw Error(ErrorKind::kCompose, fmt::format("Could not override '{}'.", item.key), details);
}

// Returns the value at the override's key with its interpolation followed, if there is one. The contents of a container
// are resolved only for a comparison (`deep`).
std::optional<Node> selected(const Node& root, const Override& item, bool deep = false) {
  try {
    const ResolveContext context;
    Evaluator evaluator(root, context);
    const std::optional<Located> found = evaluator.find(item.key, {});
    if (!found) return std::nullopt;
    return deep ? evaluator.resolved(*found) : found->node;
  } catch (const Error& error) {
    cannot_merge(item, error.what());
  }
}

size_t list_position(const Node& list, const std::string& key, const Override& item) {
  size_t index = 0;
  const auto [end, failure] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (failure != std::errc{} || end != key.data() + key.size())
    cannot_merge(item, fmt::format("Index '{}' (str) is not an int", key));
  if (index >= list.list().size()) cannot_merge(item, "list index out of range");
  return index;
}

// The path of a key that merging `over` into `base` would add to a closed dict, if any.
std::optional<std::string> new_key(const Node& base, const Node& over, const std::string& path) {
  if (!base.is_dict() || !over.is_dict()) return std::nullopt;
  for (const auto& entry : over.dict()) {
    const std::string below = join_path(path, entry.key().text);
    const Node* there = base.dict().find(entry.key().text);
    if (there == nullptr) return below;
    if (const auto deeper = new_key(*there, entry.value, below)) return deeper;
  }
  return std::nullopt;
}

// Returns the node at the end of the path and replaces scalars along it by dicts; `open` allows new keys.
Node& walk(Node& root, const std::vector<std::string>& keys, const Override& item, bool open) {
  Node* node = &root;
  std::string path;
  for (const std::string& key : keys) {
    path = join_path(path, key);
    if (node->is_list()) {
      const size_t index = list_position(*node, key, item);
      node = &node->mutable_list()[index];
    } else {
      if (node->dict().find(key) == nullptr) {
        if (!open) not_in_struct(root, item, path);
        node->mutable_dict().set(Key(key, Node::Kind::kString, item.mark()), Node(Dict{}, item.mark()));
      }
      node = node->mutable_dict().find_mutable(key);
    }
    if (!node->is_container()) *node = Node(Dict{}, item.mark());
  }
  return *node;
}

void update(Node& root, const Override& item, const Node& value, bool open) {
  std::vector<std::string> keys = split_path(item.key);
  const std::string last = keys.back();
  keys.pop_back();
  // A path that starts with an unknown key must fail before dicts replace scalars along it.
  if (!open) {
    const Node* node = &root;
    std::string path;
    for (const std::string& key : split_path(item.key)) {
      path = join_path(path, key);
      if (node->is_list()) {
        node = &node->list()[list_position(*node, key, item)];
      } else {
        const Node* next = node->is_dict() ? node->dict().find(key) : nullptr;
        if (next == nullptr) not_in_struct(root, item, path);
        node = next;
      }
    }
  }
  Node& parent = walk(root, keys, item, open);
  Node* there = nullptr;
  if (parent.is_list()) {
    const size_t index = list_position(parent, last, item);
    there = &parent.mutable_list()[index];
  } else {
    there = parent.mutable_dict().find_mutable(last);
  }
  if (there == nullptr) {
    if (!open) not_in_struct(root, item, item.key);
    parent.mutable_dict().set(Key(last, Node::Kind::kString, item.mark()), value);
    return;
  }
  if (!value.is_container() || !there->is_container()) {
    *there = value;
    return;
  }
  if (!open) {
    if (const auto added = new_key(*there, value, item.key)) not_in_struct(root, item, *added);
  }
  try {
    *there = merge(*there, value, nullptr);
  } catch (const Error& error) {
    cannot_merge(item, error.what());
  }
}

// The path of the node that `key` names: its parent may be an interpolation of another section.
std::string located_key(const Node& root, const std::string& key) {
  const size_t dot = key.rfind('.');
  if (dot == std::string::npos) return key;
  const ResolveContext context;
  Evaluator evaluator(root, context);
  const std::optional<Located> parent = evaluator.find(key.substr(0, dot), {});
  return parent ? join_path(path_text(parent->path), key.substr(dot + 1)) : key;
}

void remove(Node& root, const Override& item, const Node& value) {
  const Node* raw = root.find(item.key);
  std::optional<Node> there =
      raw != nullptr && raw->is_null() ? std::optional<Node>(Node()) : selected(root, item, !value.is_null());
  if (!there || there->is_missing()) {
    std::vector<std::string> paths;
    add_paths(root, "", paths);
    throw Error(ErrorKind::kCompose, fmt::format("Could not delete from config. '{}' does not exist.", item.key),
                did_you_mean(item.key, paths));
  }
  if (!value.is_null() && !python_equal(value, *there)) {
    throw Error(ErrorKind::kCompose, fmt::format("Could not delete from config. The value of '{}' is {} and not {}.",
                                                 item.key, python_str(*there), python_str(value)));
  }
  root.erase(raw != nullptr ? item.key : located_key(root, item.key));
}

}  // namespace

void apply_value_override(Node& root, const Override& item) {
  if (item.package) {
    throw Error(ErrorKind::kCompose,
                fmt::format("Override {} looks like a config group override, but config group '{}' does not exist.",
                            item.input, item.key));
  }
  if (item.key.empty() || item.key.find('/') != std::string::npos) {
    throw Error(ErrorKind::kCompose,
                item.key.empty() ? fmt::format("Override {} has no key", item.input)
                                 : fmt::format("Could not override '{}'.", item.key),
                item.key.empty() ? "expected key=value" : fmt::format("There is no config group '{}'", item.key));
  }
  const Node value = item.value ? to_node(*item.value, item.mark()) : Node();
  if (value.needs_resolving()) {
    try {
      check_syntax(value);
    } catch (const Error& error) {
      cannot_merge(item, error.message());
    }
  }
  switch (item.type) {
    case Override::Type::kDelete:
      remove(root, item, value);
      return;
    case Override::Type::kForceAdd:
      update(root, item, value, true);
      return;
    case Override::Type::kChange:
      update(root, item, value, false);
      return;
    case Override::Type::kAdd:
      break;
  }
  // A null parent in `hydra` is an empty section (D8: hydra.sweeper.params).
  const Node* parent = item.key.starts_with("hydra.") ? root.find(item.key.substr(0, item.key.rfind('.'))) : nullptr;
  const bool unfilled = parent != nullptr && parent->is_null();
  if (!unfilled) {
    const std::optional<Node> there = selected(root, item);
    if (!value.is_container() && there && !there->is_null() && !there->is_missing()) {
      throw Error(ErrorKind::kCompose, fmt::format("Could not append to config. An item is already at '{}'.", item.key),
                  fmt::format("Either remove + prefix: '{}'\nOr add a second + to add or override '{}': '+{}'",
                              item.input.substr(1), item.key, item.input));
    }
  }
  update(root, item, value, true);
}

}  // namespace roundtrip::hydra
