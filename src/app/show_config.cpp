#include "app/show_config.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/description.h"
#include "app/reference.h"
#include "app/run_flags.h"
#include "base/error.h"
#include "base/text.h"
#include "hydra/interpolation/interpolation.h"
#include "hydra/launch/completion.h"
#include "hydra/launch/launch.h"

namespace roundtrip::app {
namespace {

using hydra::Node;

std::string written(const Node& node, const hydra::Flags& flags) {
  return flags.format == "json" ? hydra::to_json(node).dump(2) + "\n" : hydra::to_yaml(node);
}

// Returns the part of a composition that --cfg prints.
std::string cfg_text(const hydra::Flags& flags, hydra::Composition composition) {
  Node& hydra = composition.hydra;
  // Without a run there is no run directory.
  if (const Node* folder = hydra.find("runtime.output_dir"); folder != nullptr && folder->is_null()) {
    hydra.set("runtime.output_dir", Node("<output_dir>"));
  }
  Node all = composition.job;
  all.set("hydra", hydra);
  if (flags.resolve) all = hydra::resolve(all, {.hydra = hydra, .environment = {}});
  if (flags.package) {
    const Node* part = all.find(*flags.package);
    if (!part) throw Error(ErrorKind::kCompose, fmt::format("package '{}' not found in config", *flags.package));
    if (!part->is_container()) return hydra::python_str(*part) + "\n";
    return (flags.format == "json" ? "" : fmt::format("# @package {}\n", *flags.package)) + written(*part, flags);
  }
  if (*flags.cfg == "job") all.erase("hydra");
  if (*flags.cfg == "hydra") {
    Node only{hydra::Dict{}};
    only.set("hydra", *all.find("hydra"));
    all = only;
  }
  return written(all, flags);
}

std::string cfg_text(const hydra::Flags& flags) {
  const hydra::SearchPath path = hydra::search_path(flags);
  if (!flags.multirun) return cfg_text(flags, hydra::preview(flags, path, hydra::Strictness::kStrict));
  std::string text;
  const std::vector<hydra::JobPreview> jobs = hydra::preview_jobs(flags, path);
  for (size_t num = 0; num < jobs.size(); ++num) {
    if (flags.format != "json") text += fmt::format("---\n# job {}: {}\n", num, join(jobs[num].overrides, " "));
    text += cfg_text(flags, jobs[num].composition);
  }
  return text;
}

std::string defaults_text(const hydra::Composition& composition) {
  std::string text = "Defaults List\n*************\n";
  text += fmt::format("| {:<32} | {:<20} | {:<6} | {:<24} |\n", "Config path", "Package", "_self_", "Parent");
  text += std::string(95, '-') + "\n";
  for (const hydra::DefaultsRow& row : composition.defaults) {
    text += fmt::format("| {:<32} | {:<20} | {:<6} | {:<24} |\n", row.path, row.package, row.is_self ? "True" : "False",
                        row.parent);
  }
  return text;
}

// Restores the tree of the flattened list: a config is the parent of the entries of its defaults list.
class DefaultsTree {
 public:
  explicit DefaultsTree(const std::vector<hydra::DefaultsRow>& rows) : rows_(rows) {
    for (const hydra::DefaultsRow& row : rows) {
      if (row.is_self) parents_[row.path] = row.parent;
    }
  }

  std::string text() {
    std::string text = "Defaults Tree\n*************\n";
    print("<root>", 0, text);
    return text;
  }

 private:
  void print(const std::string& path, size_t depth, std::string& text) {
    text += std::string(depth * 2, ' ') + path + (depth == 0 ? ":\n" : "\n");
    while (at_ < rows_.size()) {
      const hydra::DefaultsRow& row = rows_[at_];
      if (row.is_self && row.path == path) {
        text += std::string(depth * 2 + 2, ' ') + "_self_\n";
        ++at_;
      } else if (!row.is_self && row.parent == path) {
        text += std::string(depth * 2 + 2, ' ') + row.path + "\n";
        ++at_;
      } else {
        const std::string child = child_above(row, path);
        if (child.empty()) return;
        print(child, depth + 1, text);
      }
    }
  }

  // Returns the direct child of `path` that contains `row`, or "".
  std::string child_above(const hydra::DefaultsRow& row, const std::string& path) const {
    std::string child = row.is_self ? row.path : row.parent;
    for (size_t steps = 0; steps <= parents_.size(); ++steps) {
      const auto parent = parents_.find(child);
      if (parent == parents_.end()) return "";
      if (parent->second == path) return child;
      child = parent->second;
    }
    return "";
  }

  const std::vector<hydra::DefaultsRow>& rows_;
  std::map<std::string, std::string> parents_;
  size_t at_ = 0;
};

std::string info_text(const hydra::Flags& flags) {
  const std::string& what = *flags.info;
  if (what == "plugins") throw Error(ErrorKind::kUsage, "--info plugins: there are no plugins here");
  const hydra::SearchPath path = hydra::search_path(flags);
  const hydra::Composition composition = hydra::preview(flags, path, hydra::Strictness::kStrict);
  const bool all = what == "all";
  std::string text;
  if (all || what == "searchpath") text += path.text() + "\n";
  if (all || what == "defaults-tree") text += DefaultsTree(composition.defaults).text();
  if (all || what == "defaults") text += defaults_text(composition);
  if (all || what == "config") text += hydra::to_yaml(composition.job);
  return text;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Answers install=bash, uninstall=bash, and query=bash. The shell passes the line in COMP_LINE and COMP_POINT.
std::string completion_text(const std::string& word) {
  if (word == "install=bash") return hydra::bash_completion();
  if (word == "uninstall=bash") return hydra::bash_completion_removal();
  if (word != "query=bash") {
    throw Error(ErrorKind::kUsage,
                fmt::format("--shell-completion: found '{}'; expected install=bash, uninstall=bash or "
                            "query=bash (other shells are not supported)",
                            word));
  }
  std::string line = variable("COMP_LINE");
  const std::string point = variable("COMP_POINT");
  if (!point.empty()) line = line.substr(0, std::strtoull(point.c_str(), nullptr, 10));
  std::vector<std::string> names;
  for (const Command& command : commands()) names.push_back(command.name);
  std::string text;
  for (const std::string& one : hydra::complete(line, description().keys, names, run_flags())) text += one + "\n";
  return text;
}

}  // namespace

std::optional<std::string> shown_config(const hydra::Flags& flags) {
  if (flags.version) return description().version + "\n";
  if (flags.hydra_help) return hydra_help_text(flags);
  if (flags.help) return help_text(flags);
  if (flags.cfg) return cfg_text(flags);
  if (flags.info) return info_text(flags);
  if (flags.shell_completion) return completion_text(*flags.shell_completion);
  return std::nullopt;
}

}  // namespace roundtrip::app
