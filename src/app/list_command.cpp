// roundtrip list: prints the names that a config can use.
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/description.h"
#include "base/error.h"
#include "base/text.h"
#include "hydra/compose/search_path.h"

namespace roundtrip::app {
namespace {

// The column where the texts beside the names begin.
template <typename Entries>
size_t text_column(const Entries& entries) {
  size_t longest = 0;
  for (const auto& entry : entries) longest = std::max(longest, entry.name.size());
  return longest + 2;
}

void list_plugins(const std::vector<PluginDescription>& plugins) {
  const size_t column = text_column(plugins);
  for (const PluginDescription& plugin : plugins) {
    fmt::print("  {:<{}}{}\n", plugin.name, column, plugin.summary);
    if (!plugin.source.empty()) fmt::print("  {:<{}}{}\n", "", column, plugin.source);
  }
}

void list_metrics() {
  const auto& metrics = description().metrics;
  const size_t column = text_column(metrics);
  for (const MetricDescription& metric : metrics) fmt::print("  {:<{}}{}\n", metric.name, column, metric.summary);
}

void list_datasets() {
  for (const std::string& name : description().datasets) fmt::print("  {}\n", name);
}

void list_options(const std::string& group) {
  const hydra::SearchPath path = hydra::SearchPath::built_in();
  if (!path.has_group(group)) return;
  for (const std::string& option : path.options(group)) fmt::print("  {}={}\n", group, option);
}

int list_command(const Words& words) {
  const std::vector<std::pair<std::string, void (*)()>> lists = {
      {"methods", [] { list_plugins(description().methods); }},
      {"editors", [] { list_plugins(description().editors); }},
      {"metrics", list_metrics},
      {"datasets", list_datasets},
      {"models", [] { list_options("model"); }},
      {"experiments", [] { list_options("experiment"); }}};
  if (words.size() > 1) throw Error(ErrorKind::kUsage, "roundtrip list: expected at most one word");
  bool found = false;
  for (const auto& [name, print] : lists) {
    if (!words.empty() && words.front() != name) continue;
    found = true;
    if (words.empty()) fmt::print("{}\n", name);
    print();
  }
  if (!found) {
    std::vector<std::string> names;
    for (const auto& [name, unused] : lists) names.push_back(name);
    throw Error(ErrorKind::kUsage, fmt::format("roundtrip list: '{}'; expected one of {}.{}", words.front(),
                                               join(names, ", "), did_you_mean(words.front(), names)));
  }
  return 0;
}

const CommandRegistration registration{{.name = "list",
                                        .group = CommandGroup::kRuns,
                                        .synopsis = "list [WHAT]",
                                        .summary = "list methods, editors, metrics, datasets, models or experiments",
                                        .run = list_command}};

}  // namespace
}  // namespace roundtrip::app
