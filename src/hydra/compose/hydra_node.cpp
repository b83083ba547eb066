#include "hydra/compose/hydra_node.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::hydra {

bool is_of_hydra(const Override& item) { return item.key.starts_with("hydra.") || item.key.starts_with("hydra/"); }

std::vector<Override> without_hydra_groups(std::vector<Override> overrides) {
  static const std::map<std::string, std::vector<std::string>> kSupportedOptions = {
      {"hydra/launcher", {"basic"}},
      {"hydra/sweeper", {"basic"}},
      {"hydra/output", {"default"}},
      {"hydra/help", {"default"}},
      {"hydra/hydra_help", {"default"}},
      {"hydra/job_logging", {"default", "none", "disabled"}},
      {"hydra/hydra_logging", {"default", "none", "disabled"}},
  };
  std::erase_if(overrides, [](const Override& item) {
    const auto group = kSupportedOptions.find(item.key);
    if (group == kSupportedOptions.end()) return false;
    const std::string option = item.value && !item.is_sweep() ? python_str(to_node(*item.value)) : "";
    if (std::find(group->second.begin(), group->second.end(), option) != group->second.end()) return true;
    throw Error(ErrorKind::kCompose, fmt::format("Could not override '{}'.", item.key),
                fmt::format("  {}: Hydra's plugins and logging are Python's; expected {}={}", item.input, item.key,
                            join(group->second, "|")));
  });
  return overrides;
}

namespace {

std::optional<Node> searchpath_of(const std::vector<Override>& overrides, const SearchPath& path,
                                  const std::string& primary) {
  for (const Override& item : overrides) {
    if (item.key == "hydra.searchpath" && item.value && !item.is_sweep()) return to_node(*item.value, item.mark());
  }
  const auto file = path.load(primary);
  const Node* found = file == nullptr ? nullptr : file->content.find("hydra.searchpath");
  return found == nullptr ? std::nullopt : std::optional(*found);
}

}  // namespace

SearchPath with_searchpath(SearchPath path, const std::vector<Override>& overrides, const std::string& primary,
                           std::vector<std::string>& warnings) {
  const std::optional<Node> folders = searchpath_of(overrides, path, primary);
  if (!folders || folders->is_null()) return path;
  const auto wrong = [&] {
    return Error(ErrorKind::kCompose,
                 fmt::format("hydra.searchpath must be a list of strings. Got: {}", python_str(*folders)));
  };
  if (!folders->is_list()) throw wrong();
  for (const Node& folder : folders->list()) {
    if (!folder.is_string()) throw wrong();
    std::string place = folder.as_string();
    if (place.starts_with("pkg://")) {
      throw Error(ErrorKind::kCompose,
                  fmt::format("hydra.searchpath: '{}' names a Python package; expected a folder", place));
    }
    if (place.starts_with("file://")) place = place.substr(7);
    try {
      path.insert_folder("hydra.searchpath", place, "built-in");
    } catch (const Error&) {
      warnings.push_back(fmt::format("provider=hydra.searchpath, path={} is not available.", place));
    }
  }
  return path;
}

namespace {

std::vector<Override> grid_of(const Node& params, std::vector<std::string>& warnings) {
  if (!params.is_dict()) {
    throw Error(
        ErrorKind::kType,
        fmt::format("{}: hydra.sweeper.params: found {}; expected a dict of key: values, or a list of such dicts",
                    params.mark().text(), show(params)));
  }
  std::vector<Override> grid;
  for (const auto& entry : params.dict()) {
    if (entry.value.is_list()) {
      warnings.push_back(
          fmt::format("{}: hydra.sweeper.params.{}: a YAML list is one value, not a sweep; write \"a,b\"",
                      entry.value.mark().text(), entry.key().text));
    }
    const std::string text = entry.value.is_null() ? "null" : python_str(entry.value);
    grid.push_back(parse_override(entry.key().text + "=" + text));
  }
  return grid;
}

}  // namespace

std::vector<std::vector<Override>> sweeper_grids(const Node& hydra, std::vector<std::string>& warnings) {
  const Node* params = hydra.find("sweeper.params");
  if (params == nullptr || params->is_null()) return {{}};
  if (!params->is_list()) return {grid_of(*params, warnings)};
  std::vector<std::vector<Override>> grids;
  for (const Node& part : params->list()) grids.push_back(grid_of(part, warnings));
  return grids;
}

bool is_multirun(const Node& hydra, bool flag, std::vector<std::string>& warnings) {
  const Node* mode = hydra.find("mode");
  if (mode == nullptr || mode->is_null()) return flag;
  if (flag && python_str(*mode) == "RUN") {
    warnings.emplace_back("--multirun on the command line overrides hydra.mode=RUN");
  }
  return flag || python_str(*mode) == "MULTIRUN";
}

std::map<std::string, std::string> environment_of(const Node& hydra) {
  std::map<std::string, std::string> variables;
  const Node* node = hydra.find("job.env_set");
  if (node == nullptr || !node->is_dict()) return variables;
  for (const auto& entry : node->dict()) variables[entry.key().text] = python_str(entry.value);
  return variables;
}

Node resolved_hydra(const Composition& composition, const ResolveContext& context) {
  Node root = composition.job;
  root.mutable_dict().set("hydra", composition.hydra);
  ResolveContext inside = context;
  inside.hydra = composition.hydra;
  return resolve_text(root, "${hydra}", {}, inside);
}

std::string text_at(const Node& hydra, const std::string& path) {
  const Node* node = hydra.find(path);
  if (node == nullptr || node->is_container() || node->is_null() || node->is_missing()) {
    throw Error(ErrorKind::kType,
                fmt::format("hydra.{}: found {}; expected a path", path, node == nullptr ? "nothing" : show(*node)));
  }
  return python_str(*node);
}

}  // namespace roundtrip::hydra
