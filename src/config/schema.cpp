#include "config/schema.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "config/interpolation.h"

namespace roundtrip::config {
namespace {

std::string origin(const Mark& mark) { return mark.known() ? mark.text() + ": " : ""; }

std::string parent_of(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void Schema::add(Field field) { fields_.push_back(std::move(field)); }

void Schema::add_choice(const std::string& selector, const std::string& choice, Field field) {
  by_choice_[selector][choice].push_back(std::move(field));
}

void Schema::declare_choice(const std::string& selector, const std::string& choice) { by_choice_[selector][choice]; }

void Schema::add_open_section(std::string path) { open_sections_.push_back(std::move(path)); }

std::vector<KeyInfo> Schema::key_infos() const {
  std::vector<KeyInfo> infos;
  for (const Field& field : fields_) {
    const bool is_path = field.type.kind() == Type::Kind::kPath;
    infos.push_back({field.path, field.type.text(), field.unit, field.doc, field.type.words(), is_path});
  }
  return infos;
}

std::vector<Field> Schema::fields_of(const std::string& selector, const std::string& choice) const {
  const auto choices = by_choice_.find(selector);
  if (choices == by_choice_.end()) return {};
  const auto found = choices->second.find(choice);
  return found == choices->second.end() ? std::vector<Field>{} : found->second;
}

bool Schema::is_section(const std::string& path) const {
  const auto below = [prefix = path + "."](const Field& field) { return field.path.starts_with(prefix); };
  if (std::any_of(fields_.begin(), fields_.end(), below)) return true;
  for (const auto& [selector, choices] : by_choice_) {
    for (const auto& [choice, fields] : choices) {
      if (std::any_of(fields.begin(), fields.end(), below)) return true;
    }
  }
  return contains(open_sections_, path);
}

// The fields that hold for this config: those of every config, and those of its choices.
Schema::FieldMap Schema::fields_for(const Node& config) const {
  FieldMap map;
  for (const Field& field : fields_) map[field.path] = &field;
  for (const auto& [selector, choices] : by_choice_) {
    const Node* chosen = config.find(selector);
    if (chosen == nullptr || !chosen->is_string()) continue;
    const auto found = choices.find(chosen->as_string());
    if (found == choices.end()) {
      std::vector<std::string> names;
      for (const auto& [name, fields] : choices) names.push_back(name);
      throw Error(ErrorKind::kType,
                  fmt::format("{}{}: found {}; expected one of [{}].{}", origin(chosen->mark()), selector,
                              show(*chosen), join(names, ", "), did_you_mean(chosen->as_string(), names)));
    }
    for (const Field& field : found->second) map[field.path] = &field;
  }
  return map;
}

const Field* Schema::find(const std::string& path, const Node& config) const {
  const FieldMap fields = fields_for(config);
  const auto found = fields.find(path);
  return found == fields.end() ? nullptr : found->second;
}

// The fields that hold under one set of choices, and what follows from them.
struct Checker::Shape {
  Schema::FieldMap fields;
  std::set<std::string> sections;  // every prefix of a field's path
  const std::vector<std::string>& open_sections;

  Shape(Schema::FieldMap fields_in, const std::vector<std::string>& open)
      : fields(std::move(fields_in)), open_sections(open) {
    for (const auto& [path, field] : fields) {
      for (std::string section = parent_of(path); !section.empty(); section = parent_of(section))
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

const Checker::Shape& Checker::shape_for(const Node& config) {
  std::vector<std::string> chosen;
  for (const auto& [selector, choices] : schema_.by_choice_) {
    const Node* value = config.find(selector);
    chosen.push_back(value == nullptr ? "" : python_str(*value));
  }
  auto& shape = shapes_[chosen];
  if (!shape) shape = std::make_shared<const Shape>(schema_.fields_for(config), schema_.open_sections_);
  return *shape;
}

Checker::Checked Checker::section(const Shape& shape, const Node& node, const std::string& path) {
  if (!node.is_dict()) {
    throw Error(ErrorKind::kType,
                fmt::format("{}{}: found {} of type {}; expected a section with the keys {}", origin(node.mark()), path,
                            show(node), kind_name(node.kind()), join(shape.keys_of(path), ", ")));
  }
  if (const auto known = known_.find({&shape, node.identity()}); known != known_.end()) return known->second;
  Checked result{node, node, 0};
  for (const auto& entry : node.dict()) {
    const std::string below = join_path(path, entry.key().text);
    const auto field = shape.fields.find(below);
    if (field == shape.fields.end() && shape.sections.count(below) == 0) {
      if (contains(shape.open_sections, below) || contains(shape.open_sections, path)) continue;
      shape.unknown(entry.key(), path);
    }
    Node value;
    if (field == shape.fields.end()) {
      Checked checked = section(shape, entry.value, below);
      result.fields += checked.fields;
      value = std::move(checked.to);
    } else {
      value = converted(entry.value, *field->second);
      ++result.fields;
    }
    if (value.identity() != entry.value.identity()) result.to.mutable_dict().set(entry.shared_key, std::move(value));
  }
  // Roots differ from job to job; only sections come back.
  constexpr size_t kMostKnown = 4096;
  if (known_.size() >= kMostKnown) known_.clear();
  if (!path.empty()) known_[{&shape, node.identity()}] = result;
  return result;
}

Node Checker::validate(const Node& resolved) {
  schema_.check_missing(resolved);
  const Shape& shape = shape_for(resolved);
  Checked checked = section(shape, resolved, "");
  if (checked.fields < shape.fields.size()) {
    for (const auto& [path, field] : shape.fields) {
      if (checked.to.find(path) == nullptr) {
        throw Error(ErrorKind::kMissing, fmt::format("{} is not in the config; expected {}", path, field->type.text()));
      }
    }
  }
  return checked.to;
}

void Schema::check_missing(const Node& config) const {
  if (!config.has_missing()) return;
  const std::vector<std::string> missing = missing_keys(config);
  std::string paste;
  for (const std::string& key : missing) paste += fmt::format(" {}=...", key);
  throw Error(ErrorKind::kMissing, fmt::format("Missing mandatory value: {}", join(missing, ", ")),
              fmt::format("Add to the command line:{}", paste));
}

Node Schema::validate(const Node& resolved) const { return Checker(*this).validate(resolved); }

}  // namespace roundtrip::config
