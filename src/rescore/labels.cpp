#include "rescore/labels.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "columns/columns.h"

namespace roundtrip::rescore {
namespace {

using hydra::Node;

store::Value value_of(const Node& node, store::ColumnType type, const std::string& key) {
  const std::string found = fmt::format("label.{}: found {}; expected ", key, hydra::python_str(node));
  switch (type) {
    case store::ColumnType::kInt64:
      if (node.kind() == Node::Kind::kInt) return node.as_int();
      throw Error(ErrorKind::kType, found + "a whole number");
    case store::ColumnType::kFloat64:
      if (node.kind() == Node::Kind::kInt) return static_cast<double>(node.as_int());
      if (node.kind() == Node::Kind::kFloat) return node.as_float();
      throw Error(ErrorKind::kType, found + "a number");
    case store::ColumnType::kString:
      if (node.is_container() || node.is_null()) throw Error(ErrorKind::kType, found + "a text");
      return hydra::python_str(node);
  }
  return {};
}

store::ColumnType type_of(const Node& node) {
  if (node.kind() == Node::Kind::kInt) return store::ColumnType::kInt64;
  return node.kind() == Node::Kind::kFloat ? store::ColumnType::kFloat64 : store::ColumnType::kString;
}

}  // namespace

Labels read_labels(const Node& config, const plan::Trial& trial, const std::filesystem::path& pictures) {
  Labels labels;
  const auto name_of = [](const std::filesystem::path& path) {
    const std::filesystem::path clean = path.lexically_normal();
    return (clean.has_filename() ? clean : clean.parent_path()).filename().string();
  };
  labels.values[columns::kTask] = std::string(trial.edits ? "edit" : "reconstruct");
  labels.values[columns::kMethod] = name_of(std::filesystem::absolute(pictures));
  labels.values[columns::kEditor] = std::string("none");
  labels.values[columns::kSeed] = int64_t{0};
  labels.values[columns::kDataset] = name_of(std::filesystem::absolute(trial.dataset.path));
  const Node* all = config.find("label");
  if (all == nullptr || all->is_null()) return labels;
  if (!all->is_dict()) throw Error(ErrorKind::kType, "label: expected label.KEY=VALUE");
  for (const auto& entry : all->dict()) {
    const std::string& key = entry.key().text;
    const auto axis = std::ranges::find(columns::axes(), key, [](const auto& each) { return each.column.name; });
    if (axis != columns::axes().end()) {
      labels.values[key] = value_of(entry.value, axis->column.type, key);
      continue;
    }
    const store::ColumnType type = type_of(entry.value);
    const std::string column = columns::parameter_column(key);
    labels.values[column] = value_of(entry.value, type, key);
    labels.parameters.push_back(
        {.name = column, .type = type, .long_name = "the label " + key, .units = {}, .direction = {}, .version = {}});
  }
  return labels;
}

}  // namespace roundtrip::rescore
