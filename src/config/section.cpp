#include "config/section.h"

namespace roundtrip::config {

using hydra::Node;

Params section_params(const Node& job, const std::string& section) {
  std::map<std::string, Params::Value> values;
  std::map<std::string, std::string> origins;
  const Node* node = job.find(section);
  if (node == nullptr || !node->is_dict()) return Params(section, {});
  for (const auto& entry : node->dict()) {
    const std::string& key = entry.key().text;
    const Node& value = entry.value;
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

}  // namespace roundtrip::config
