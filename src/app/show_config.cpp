#include "app/show_config.h"

#include <fstream>

#include <fmt/format.h>

#include "app/commands.h"
#include "base/error.h"
#include "config/compose.h"
#include "config/interpolation.h"
#include "run/provenance.h"
#include "run/schema.h"

namespace roundtrip::app {
namespace {

using config::Node;

config::Composition composed(const config::Flags& flags) {
  const config::SearchPath path = config::search_path(flags);
  const std::string name = flags.config_name.value_or("config");
  const std::vector<config::Override> overrides = config::parse_overrides(flags.overrides);
  config::Composer composer(path, name, {.allow_missing_groups = true});
  config::Composition composition = composer.compose(overrides);
  config::fill_hydra(composition, overrides, path, name);
  return composition;
}

std::string cfg_text(const config::Flags& flags) {
  const config::Composition composition = composed(flags);
  Node shown = *flags.cfg == "hydra" ? Node(config::Dict{}) : composition.job;
  if (*flags.cfg != "job") shown.set("hydra", composition.hydra);
  if (flags.resolve) shown = config::resolve(shown, {.hydra = composition.hydra, .environment = {}});
  if (!flags.package) return config::to_yaml(shown);
  const Node* part = shown.find(*flags.package);
  if (!part) throw Error(ErrorKind::kCompose, fmt::format("package '{}' not found in config", *flags.package));
  if (!part->is_container()) return config::python_str(*part) + "\n";
  return fmt::format("# @package {}\n{}", *flags.package, config::to_yaml(*part));
}

std::string info_text(const config::Flags& flags) {
  const config::Composition composition = composed(flags);
  std::string text;
  const bool all = *flags.info == "all";
  if (all || flags.info->starts_with("defaults")) {
    text += "Defaults list\n";
    for (const config::DefaultsRow& row : composition.defaults) {
      text += fmt::format("  {:<28}{:<20}{}\n", row.path, row.package.empty() ? "_global_" : row.package,
                          row.is_self ? "_self_ of " + row.path : row.parent);
    }
  }
  if (all || *flags.info == "searchpath") {
    text += "Config search path\n" + config::search_path(flags).text() + "\n";
  }
  if (all || *flags.info == "config") text += config::to_yaml(composition.job);
  if (text.empty()) throw Error(ErrorKind::kUsage, fmt::format("--info {}: there are no plugins here", *flags.info));
  return text;
}

// Every key with its value, type and meaning.
std::string help_text(const config::Flags& flags) {
  const Node job = composed(flags).job;
  std::string text = usage() + "\nGroups (group=option)\n";
  const config::SearchPath path = config::search_path(flags);
  for (const std::string& group : path.groups()) {
    if (group == "hydra") continue;
    std::string options;
    for (const std::string& option : path.options(group)) options += " " + option;
    text += fmt::format("  {:<10}{}\n", group, options);
  }
  text += "\nKeys (key=value)\n";
  for (const config::Field& field : run::schema().fields()) {
    const Node* value = job.find(field.path);
    const std::string shown = value ? config::show(*value) : "";
    text += fmt::format("  {:<24}{:<30}{}; {}\n", field.path, shown, field.doc, field.type.text());
  }
  return text;
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path);
  if (!(file << text).flush()) throw input_error(path.string(), "cannot be written");
}

std::string list_yaml(const std::vector<std::string>& texts) {
  Node::List items;
  for (const std::string& text : texts) items.emplace_back(text);
  return config::to_yaml(Node(std::move(items)));
}

}  // namespace

std::optional<std::string> shown_config(const config::Flags& flags) {
  if (flags.version) return run::version_line() + "\n";
  if (flags.help || flags.hydra_help) return help_text(flags);
  if (flags.cfg) return cfg_text(flags);
  if (flags.info) return info_text(flags);
  if (flags.shell_completion) throw Error(ErrorKind::kUsage, "--shell-completion is not available in this version");
  if (flags.resume) throw Error(ErrorKind::kUsage, "--resume is not available in this version");
  return std::nullopt;
}

void write_config_files(const config::Launch& launch, const std::filesystem::path& directory) {
  const Node& first = launch.jobs.front().config;
  if (launch.multirun) {
    Node all = first;
    all.set("hydra", launch.hydra);
    write_text(directory / "multirun.yaml", config::to_yaml(all));
  } else {
    write_text(directory / ".hydra/config.yaml", config::to_yaml(first));
  }
  write_text(directory / ".hydra/hydra.yaml", config::to_yaml(launch.hydra));
  write_text(directory / ".hydra/overrides.yaml", list_yaml(launch.task_overrides));
}

}  // namespace roundtrip::app
