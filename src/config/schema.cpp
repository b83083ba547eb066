#include "config/schema.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "hydra/interpolation/interpolation.h"

namespace roundtrip::config {

using hydra::join_path;
using hydra::Key;
using hydra::KeyInfo;
using hydra::Node;

namespace {

std::string origin(const hydra::Mark& mark) { return mark.known() ? mark.text() + ": " : ""; }

std::string parent_of(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void Schema::add(Field field) { fields_.push_back(std::move(field)); }

void Schema::add_open_section(std::string path) { open_sections_.push_back(std::move(path)); }

std::vector<KeyInfo> Schema::key_infos() const {
  std::vector<KeyInfo> infos;
  for (const Field& field : fields_) {
    const bool is_path = field.type.kind() == Type::Kind::kPath;
    infos.push_back({field.path, field.type.text(), field.unit, field.doc, field.type.words(), is_path});
  }
  return infos;
}

bool Schema::is_section(const std::string& path) const {
  const auto below = [prefix = path + "."](const Field& field) { return field.path.starts_with(prefix); };
  if (std::any_of(fields_.begin(), fields_.end(), below)) return true;
  return contains(open_sections_, path);
}

// The fields by path and the sections that they lie in.
struct Checker::Layout {
  std::map<std::string, const Field*> fields;
  std::set<std::string> sections;  // every prefix of a field's path
  const std::vector<std::string>& open_sections;

  explicit Layout(const Schema& schema) : open_sections(schema.open_sections_) {
    for (const Field& field : schema.fields_) {
      fields[field.path] = &field;
      for (std::string section = parent_of(field.path); !section.empty(); section = parent_of(section))
        sections.insert(section);
    }
  }

  std::vector<std::string> keys_of(const std::string& section) const {
    std::set<std::string> keys;
    const std::string prefix = section.empty() ? "" : section + ".";
    const auto add = [&](const std::string& path) {
      if (!path.starts_with(prefix)) return;
      const std::string rest = path.substr(prefix.size());
      keys.insert(rest.substr(0, rest.find('.')));
    };
    for (const auto& [path, field] : fields) add(path);
    for (const std::string& path : open_sections) add(path);
    return {keys.begin(), keys.end()};
  }

  [[noreturn]] void unknown(const Key& key, const std::string& section) const {
    const std::vector<std::string> keys = keys_of(section);
    throw Error(ErrorKind::kType,
                fmt::format("{}{}: there is no such key; expected one of {}.{}", origin(key.mark),
                            join_path(section, key.text), join(keys, ", "), did_you_mean(key.text, keys)));
  }
};

namespace {

Node converted(const Node& node, const Field& field) {
  std::string why;
  std::optional<Node> value = field.type.convert(node, why);
  if (value) return *value;
  throw Error(ErrorKind::kType,
              fmt::format("{}{}: found {} of type {}; expected {}{}", origin(node.mark()), field.path, show(node),
                          kind_name(node.kind()), field.type.text(), field.unit.empty() ? "" : " (" + field.unit + ")"),
              why.empty() ? "" : fmt::format("{}\n    full_key: {}", why, field.path));
}

}  // namespace

Checker::Checker(const Schema& schema) : layout_(std::make_shared<const Layout>(schema)) {}

Checker::Checked Checker::section(const Node& node, const std::string& path) {
  if (!node.is_dict()) {
    throw Error(ErrorKind::kType,
                fmt::format("{}{}: found {} of type {}; expected a section with the keys {}", origin(node.mark()), path,
                            show(node), kind_name(node.kind()), join(layout_->keys_of(path), ", ")));
  }
  if (const auto known = checked_.find(node.identity()); known != checked_.end()) return known->second;
  Checked result{node, node, 0};
  for (const auto& entry : node.dict()) {
    const std::string below = join_path(path, entry.key().text);
    const auto field = layout_->fields.find(below);
    if (field == layout_->fields.end() && layout_->sections.count(below) == 0) {
      if (contains(layout_->open_sections, below) || contains(layout_->open_sections, path)) continue;
      layout_->unknown(entry.key(), path);
    }
    Node value;
    if (field == layout_->fields.end()) {
      Checked checked = section(entry.value, below);
      result.fields += checked.fields;
      value = std::move(checked.to);
    } else {
      value = converted(entry.value, *field->second);
      ++result.fields;
    }
    if (value.identity() != entry.value.identity()) result.to.mutable_dict().set(entry.shared_key, std::move(value));
  }
  // Roots differ from job to job; only sections recur.
  constexpr size_t kMaxChecked = 4096;
  if (checked_.size() >= kMaxChecked) checked_.clear();
  if (!path.empty()) checked_[node.identity()] = result;
  return result;
}

Node Checker::validate(const Node& resolved) {
  hydra::check_missing(resolved);
  Checked checked = section(resolved, "");
  if (checked.fields < layout_->fields.size()) {
    for (const auto& [path, field] : layout_->fields) {
      if (checked.to.find(path) == nullptr) {
        throw Error(ErrorKind::kMissing, fmt::format("{} is not in the config; expected {}", path, field->type.text()));
      }
    }
  }
  return checked.to;
}

Node Schema::validate(const Node& resolved) const { return Checker(*this).validate(resolved); }

}  // namespace roundtrip::config
