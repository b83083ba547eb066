#include "app/reference.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/description.h"
#include "base/error.h"
#include "base/text.h"
#include "config/hydra_keys.h"
#include "hydra/compose/embedded.h"
#include "hydra/launch/launch.h"

namespace roundtrip::app {
namespace {

using hydra::Node;

struct KeyRow {
  std::string path, value, type, doc;
};

std::string value_text(const Node* value) {
  if (value == nullptr) return "";
  std::string text = hydra::to_yaml(*value);
  if (!text.empty()) text.pop_back();
  return value->is_container() ? hydra::show(*value) : text;
}

// Comment after a value in a built-in config.
std::string comment_on(const Node* value) {
  if (value == nullptr || !value->mark().known() || value->mark().line == 0) return "";
  for (const hydra::EmbeddedConfig& config : hydra::embedded_configs()) {
    if (*value->mark().file != fmt::format("configs/{}.yaml", config.path)) continue;
    const std::string line = split(config.text, '\n').at(static_cast<size_t>(value->mark().line - 1));
    const size_t comment = line.find("  # ");
    return comment == std::string::npos ? "" : line.substr(comment + 4);
  }
  return "";
}

std::vector<KeyRow> rows_of(const std::vector<hydra::KeyInfo>& keys, const Node& values, const std::string& prefix) {
  std::vector<KeyRow> rows;
  for (const hydra::KeyInfo& key : keys) {
    const std::string unit = key.unit.empty() ? "" : fmt::format(" ({})", key.unit);
    // Values that the program sets at run time (the current folder) are not defaults.
    const Node* value = (prefix + key.path).starts_with("hydra.runtime.") ? nullptr : values.find(key.path);
    rows.push_back({prefix + key.path, value_text(value), key.type + unit, key.doc});
  }
  return rows;
}

// Adds the parameters of a section that a plug-in reads, in the order of the config. Those of a nested section have
// dotted names.
void add_parameter_rows(const Node& section, const std::string& group, const std::string& prefix,
                        const PluginDescription& plugin, std::vector<KeyRow>& rows) {
  for (const auto& entry : section.dict()) {
    const std::string key = prefix + entry.key().text;
    const auto type = plugin.parameters.find(key);
    if (type != plugin.parameters.end()) {
      rows.push_back({group + "." + key, value_text(&entry.value), type->second, comment_on(&entry.value)});
    } else if (entry.value.is_dict()) {
      add_parameter_rows(entry.value, group, key + ".", plugin, rows);
    }
  }
}

// The parameters that the chosen method or editor reads in its section.
std::vector<KeyRow> parameter_rows(const Node& job, const std::string& group,
                                   const std::vector<PluginDescription>& plugins) {
  std::vector<KeyRow> rows;
  const Node* name = job.find(group + ".name");
  if (name == nullptr || !name->is_string()) return rows;
  const auto plugin = std::ranges::find(plugins, name->as_string(), &PluginDescription::name);
  if (plugin == plugins.end()) return rows;
  add_parameter_rows(*job.find(group), group, "", *plugin, rows);
  return rows;
}

std::string plain_table(const std::vector<KeyRow>& rows) {
  std::string text;
  for (const KeyRow& row : rows) {
    text +=
        fmt::format("  {:<26} {:<22} {}{}{}\n", row.path, row.value, row.doc, row.doc.empty() ? "" : "; ", row.type);
  }
  return text;
}

std::string markdown_table(const std::vector<KeyRow>& rows) {
  const auto cell = [](const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
    return out;
  };
  std::string text = "| key | default | type | meaning |\n|---|---|---|---|\n";
  for (const KeyRow& row : rows) {
    const std::string value = row.value.empty() ? "" : fmt::format("`{}`", cell(row.value));
    text += fmt::format("| `{}` | {} | {} | {} |\n", row.path, value, cell(row.type), cell(row.doc));
  }
  return text;
}

hydra::Flags flags_of(const std::vector<std::string>& words) { return hydra::parse_flags(words); }

std::string option_list(const hydra::SearchPath& path, const std::string& group) {
  return join(path.options(group), " ");
}

}  // namespace

std::string help_text(const hydra::Flags& flags) {
  const hydra::SearchPath path = hydra::search_path(flags);
  const hydra::Composition composition = hydra::preview(flags, path, hydra::Strictness::kLenient);
  const auto of_help = [&](const char* key) {
    const Node* text = composition.hydra.find(key);
    return text != nullptr && text->is_string() && !text->as_string().empty() ? text->as_string() + "\n" : "";
  };
  std::string text = of_help("help.header") + usage() + "\nGroups (group=option)\n";
  for (const std::string& group : path.groups()) {
    if (group != "hydra") text += fmt::format("  {:<12} {}\n", group, option_list(path, group));
  }
  text += "\nKeys (key=value)\n" + plain_table(rows_of(description().keys, composition.job, ""));
  const auto add_parameters = [&](const std::string& group, const std::vector<PluginDescription>& plugins) {
    const std::vector<KeyRow> rows = parameter_rows(composition.job, group, plugins);
    if (rows.empty()) return;
    text += fmt::format("\nKeys of {}={}\n", group, value_text(composition.job.find(group + ".name")));
    text += plain_table(rows);
  };
  add_parameters("method", description().methods);
  add_parameters("editor", description().editors);
  return text + "\nKeys of Hydra's own: roundtrip --hydra-help\n" + of_help("help.footer");
}

std::string hydra_help_text(const hydra::Flags& flags) {
  const hydra::Composition composition = hydra::preview(flags, hydra::search_path(flags), hydra::Strictness::kLenient);
  return R"help(The flags and the node `hydra` are Hydra's.

  -m, --multirun            sweep over values with commas, range(), glob() ...
  -c, --cfg job|hydra|all   print the config and stop; with -m that of every job. --format json, --package KEY, --resolve
  -i, --info [WHAT]         all, config, defaults, defaults-tree, searchpath
  -cn, --config-name NAME   another primary config      -cp, --config-path DIR  and where it lies
  -cd, --config-dir DIR     more configs, before the built-in ones
  -sc install=bash          completion: eval "$(roundtrip -sc install=bash)"
  --dry-run                 what would run

Keys (hydra.key=value)
)help" + plain_table(rows_of(config::hydra_schema().key_infos(), composition.hydra, "hydra."));
}

// Omits the options of groups and the keys of methods, so a new method or dataset does not change the document.
std::string reference_markdown() {
  const hydra::SearchPath path = hydra::SearchPath::built_in();
  const Node job = hydra::preview(flags_of({}), path, hydra::Strictness::kLenient).job;
  std::string groups;
  for (const std::string& group : path.groups()) {
    if (group != "hydra") groups += fmt::format("{}`{}`", groups.empty() ? "" : ", ", group);
  }
  std::vector<KeyRow> rows = rows_of(description().keys, job, "");
  for (KeyRow& row : rows) {
    const std::string group = row.path.substr(0, row.path.find('.'));
    if (row.path == group + ".name") row.type = fmt::format("what `roundtrip list {}s` names", group);
  }
  const std::string text = fmt::format(
      "### Groups\n\n{}: `roundtrip --help` lists their options, `roundtrip list methods` (or `editors`, `datasets`) "
      "describes them, and `roundtrip --help method=NAME` shows the keys that a method reads under `method.`; likewise "
      "`editor=NAME`.\n\n"
      "### Keys\n\n{}",
      groups, markdown_table(rows));
  const hydra::Composition hydra = hydra::preview(flags_of({}), path, hydra::Strictness::kLenient);
  return text + "\n### Keys of `hydra`\n\n" +
         markdown_table(rows_of(config::hydra_schema().key_infos(), hydra.hydra, "hydra."));
}

namespace {

int reference_command(const Words& words) {
  if (!words.empty()) throw Error(ErrorKind::kUsage, "roundtrip reference: expected no words");
  std::fputs(reference_markdown().c_str(), stdout);
  return 0;
}

const CommandRegistration registration{{.name = "reference",
                                        .group = CommandGroup::kTools,
                                        .synopsis = "reference",
                                        .summary = "every config key in Markdown, as in docs/configuration.md",
                                        .run = reference_command}};

}  // namespace
}  // namespace roundtrip::app
