#include "config/section.h"

#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip::config {

using hydra::Node;

namespace {

std::string origin(const Node& node) { return node.mark().known() ? node.mark().text() + ": " : ""; }

Params read(const Node* node, const std::string& section, const std::set<std::string>& left_out) {
  std::map<std::string, Params::Value> values;
  std::map<std::string, std::string> origins;
  if (node == nullptr || !node->is_dict()) return Params(section, {});
  for (const auto& entry : node->dict()) {
    const std::string& key = entry.key().text;
    const Node& value = entry.value;
    if (left_out.contains(key)) continue;
    switch (value.kind()) {
      case Node::Kind::kNull:
        values[key] = std::monostate{};
        break;
      case Node::Kind::kBool:
        values[key] = value.as_bool();
        break;
      case Node::Kind::kInt:
        values[key] = value.as_int();
        break;
      case Node::Kind::kFloat:
        values[key] = value.as_float();
        break;
      case Node::Kind::kString:
        values[key] = value.as_string();
        break;
      default:
        continue;
    }
    if (value.mark().known()) origins[key] = value.mark().text();
  }
  return Params(section, std::move(values), std::move(origins));
}

}  // namespace

Params section_params(const Node& job, const std::string& section) { return read(job.find(section), section, {}); }

Params plugin_params(const Node& job, const std::string& section, const std::set<std::string>& shared) {
  const Node* node = job.find(section);
  if (node != nullptr && !node->is_null() && !node->is_dict()) {
    throw Error(ErrorKind::kType, fmt::format("{}{}: found {}; expected a section with parameters", origin(*node),
                                              section, hydra::show(*node)));
  }
  if (node != nullptr && node->is_dict()) {
    for (const auto& entry : node->dict()) {
      if (shared.contains(entry.key().text) || !entry.value.is_container()) continue;
      throw Error(ErrorKind::kType,
                  fmt::format("{}{}.{}: found {} of type {}; expected a scalar", origin(entry.value), section,
                              entry.key().text, hydra::show(entry.value), hydra::kind_name(entry.value.kind())));
    }
  }
  return read(node, section, shared);
}

}  // namespace roundtrip::config
