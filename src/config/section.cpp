#include "config/section.h"

#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip::config {

using hydra::Node;

namespace {

std::string origin(const Node& node) { return node.mark().known() ? node.mark().text() + ": " : ""; }

Value value_of(const Node& node) {
  switch (node.kind()) {
    case Node::Kind::kNull:
      return std::monostate{};
    case Node::Kind::kBool:
      return node.as_bool();
    case Node::Kind::kInt:
      return node.as_int();
    case Node::Kind::kFloat:
      return node.as_float();
    case Node::Kind::kString:
      return node.as_string();
    case Node::Kind::kList: {
      List list;
      for (const Node& item : node.list()) list.push_back(value_of(item));
      return list;
    }
    case Node::Kind::kDict: {
      Map map;
      for (const auto& entry : node.dict()) map.emplace_back(entry.key().text, value_of(entry.value));
      return map;
    }
  }
  return {};
}

void add_origins(const Node& node, const std::string& key, std::map<std::string, std::string>& origins) {
  if (node.mark().known()) origins[key] = node.mark().text();
  if (!node.is_dict()) return;
  for (const auto& entry : node.dict()) add_origins(entry.value, key + "." + entry.key().text, origins);
}

Params read(const Node* node, const std::string& section, const std::set<std::string>& left_out) {
  std::map<std::string, Value> values;
  std::map<std::string, std::string> origins;
  if (node == nullptr || !node->is_dict()) return Params(section, {});
  for (const auto& entry : node->dict()) {
    const std::string& key = entry.key().text;
    if (left_out.contains(key)) continue;
    values[key] = value_of(entry.value);
    add_origins(entry.value, key, origins);
  }
  return Params(section, std::move(values), std::move(origins));
}

}  // namespace

Params section_params(const Node& job, const std::string& section, const std::set<std::string>& shared) {
  return read(job.find(section), section, shared);
}

Params scalar_params(const Node& job, const std::string& section) {
  const Node* node = job.find(section);
  if (node != nullptr && !node->is_null() && !node->is_dict()) {
    throw Error(ErrorKind::kType, fmt::format("{}{}: found {}; expected a section with parameters", origin(*node),
                                              section, hydra::show(*node)));
  }
  if (node != nullptr && node->is_dict()) {
    for (const auto& entry : node->dict()) {
      if (!entry.value.is_container()) continue;
      throw Error(ErrorKind::kType,
                  fmt::format("{}{}.{}: found {} of type {}; expected a scalar", origin(entry.value), section,
                              entry.key().text, hydra::show(entry.value), hydra::kind_name(entry.value.kind())));
    }
  }
  return read(node, section, {});
}

}  // namespace roundtrip::config
