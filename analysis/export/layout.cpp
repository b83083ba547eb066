#include "analysis/export/layout.h"

#include <algorithm>

#include "analysis/assets.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::analysis {
namespace {

using hydra::Node;

constexpr std::string_view kLayout = ".layout.yaml", kPublished = ".published.yaml";

std::vector<std::string> names_ending(std::string_view ending) {
  std::vector<std::string> names;
  for (const Asset& each : assets()) {
    if (each.name.ends_with(ending)) names.emplace_back(each.name.substr(0, each.name.size() - ending.size()));
  }
  return names;
}

Node read(const std::string& name_or_file, std::string_view ending) {
  const std::vector<std::string> names = names_ending(ending);
  if (std::ranges::find(names, name_or_file) != names.end()) {
    const std::string file = name_or_file + std::string(ending);
    return hydra::parse_yaml(asset(file), file);
  }
  if (std::filesystem::exists(name_or_file)) return hydra::parse_yaml(read_file(name_or_file), name_or_file);
  throw Error(ErrorKind::kMissing, fmt::format("'{}': no such file, and none built in; those are {}.{}", name_or_file,
                                               join(names, ", "), did_you_mean(name_or_file, names)));
}

std::string place(const Node& node) { return node.mark().known() ? node.mark().text() : "layout"; }

const Node& at(const Node& node, const char* key) {
  const Node* value = node.is_dict() ? node.find(key) : nullptr;
  if (value == nullptr) throw Error(ErrorKind::kType, fmt::format("{}: expected the key '{}'", place(node), key));
  return *value;
}

Selector selector_at(const Node& node) {
  const Node* where = node.find("where");
  return where == nullptr || where->is_null() ? Selector{} : parse_selector(where->as_string(), place(node));
}

}  // namespace

std::vector<std::string> layout_names() { return names_ending(kLayout); }

Layout read_layout(const std::string& name_or_file) {
  const Node root = read(name_or_file, kLayout);
  Layout layout{.name = name_or_file,
                .source = at(root, "source").as_string(),
                .where = selector_at(root),
                .each = {},
                .rows = {},
                .columns = {}};
  if (const Node* counts = root.find("counts"); counts != nullptr) layout.counts = counts->as_bool();
  if (const Node* by = root.find("by"); by != nullptr) {
    for (const Node& column : by->list()) layout.by.push_back(column.as_string());
  }
  const Node& rows = at(root, "rows");
  if (rows.is_dict()) {
    layout.each = at(rows, "each").as_string();
  } else {
    for (const Node& row : rows.list()) layout.rows.push_back({at(row, "label").as_string(), selector_at(row)});
  }
  for (const Node& column : at(root, "columns").list()) {
    const Node *times = column.find("times"), *better = column.find("better");
    layout.columns.push_back({.label = at(column, "label").as_string(),
                              .of = at(column, "of").as_string(),
                              .where = selector_at(column),
                              .times = times == nullptr ? 1 : times->as_float(),
                              .better = better == nullptr ? "lower" : better->as_string()});
  }
  return layout;
}

Published read_published(const std::string& name_or_file) {
  const Node root = read(name_or_file, kPublished);
  Published published{.source = at(root, "source").as_string(), .values = {}};
  for (const Node& entry : at(root, "values").list()) {
    PublishedValues values{.where = selector_at(entry), .of = {}};
    for (const auto& value : entry.dict()) {
      if (value.key().text != "where") values.of[value.key().text] = value.value.as_float();
    }
    published.values.push_back(std::move(values));
  }
  return published;
}

}  // namespace roundtrip::analysis
