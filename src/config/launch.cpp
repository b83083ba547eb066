#include "config/launch.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "config/interpolation.h"
#include "config/override.h"
#include "config/sweep.h"

namespace roundtrip::config {
namespace {

bool of_hydra(const Override& item) { return item.key.starts_with("hydra.") || item.key.starts_with("hydra/"); }

// Without --multirun a sweep is a mistake; which one decides the advice.
void check_no_sweep(const std::vector<Override>& overrides) {
  for (const Override& item : overrides) {
    if (!item.is_sweep()) continue;
    const auto* choice = item.value->get_if<Choice>();
    if (choice == nullptr || !choice->simple) {
      throw Error(ErrorKind::kCompose, fmt::format("Sweep parameters '{}' requires --multirun", item.input));
    }
    const std::string key = item.key_text(), values = item.input.substr(std::min(key.size() + 1, item.input.size()));
    throw Error(
        ErrorKind::kCompose, fmt::format("Ambiguous value for argument '{}'", item.input),
        fmt::format("1. To use it as a list, use {}=[{}]\n2. To use it as string, quote the value: {}=\\'{}\\'\n"
                    "3. To sweep over it, add --multirun to your command line",
                    key, values, key, values));
  }
}

// A scalar over a whole section would drop everything in it; people who write it mean the group.
void check_no_section_replaced(const std::vector<Override>& overrides, const Schema& schema, const SearchPath& path) {
  for (const Override& item : overrides) {
    if (!item.value || item.is_sweep() || item.value->get_if<ElementDict>() != nullptr || item.package) continue;
    if (item.type == Override::Type::kDelete || path.has_group(item.key) || !schema.is_section(item.key)) continue;
    std::string group = item.key;
    std::replace(group.begin(), group.end(), '.', '/');
    throw Error(ErrorKind::kType,
                fmt::format("command line: '{}' would replace the whole section '{}'{}", item.input, item.key,
                            path.has_group(group) ? fmt::format("; use {}={}", group, to_text(*item.value)) : ""));
  }
}

// Hydra's first line for a value of the command line that its key does not take, ours below it.
Error with_override(const Error& error, const std::vector<const Override*>& overrides) {
  constexpr std::string_view kOrigin = "command line: ";
  if (error.kind() != ErrorKind::kType || !error.message().starts_with(kOrigin)) return error;
  const std::string rest = error.message().substr(kOrigin.size());
  const std::string key = rest.substr(0, rest.find(':'));
  for (auto item = overrides.rbegin(); item != overrides.rend(); ++item) {
    const Override& one = **item;
    if (key != one.key && !key.starts_with(one.key + ".")) continue;
    return Error(error.kind(), fmt::format("Error merging override {}", one.input), "  " + std::string(error.what()));
  }
  return error;
}

std::optional<Node> searchpath_of(const std::vector<Override>& overrides, const SearchPath& path,
                                  const std::string& primary) {
  for (const Override& item : overrides) {
    if (item.key == "hydra.searchpath" && item.value && !item.is_sweep()) return to_node(*item.value, item.mark());
  }
  const auto file = path.load(primary);
  const Node* found = file == nullptr ? nullptr : file->content.find("hydra.searchpath");
  return found == nullptr ? std::nullopt : std::optional(*found);
}

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

// hydra.sweeper.params as overrides, before those of the command line.
std::vector<Override> sweeper_params(const Node& hydra, std::vector<std::string>& warnings) {
  std::vector<Override> params;
  const Node* node = hydra.find("sweeper.params");
  if (node == nullptr || node->is_null()) return params;
  if (!node->is_dict()) {
    throw Error(ErrorKind::kType, fmt::format("{}: hydra.sweeper.params: found {}; expected a dict of key: values",
                                              node->mark().text(), show(*node)));
  }
  for (const auto& entry : node->dict()) {
    if (entry.value.is_list()) {
      warnings.push_back(
          fmt::format("{}: hydra.sweeper.params.{}: a YAML list is one value, not a sweep; write \"a,b\"",
                      entry.value.mark().text(), entry.key().text));
    }
    const std::string text = entry.value.is_null() ? "null" : python_str(entry.value);
    params.push_back(parse_override(entry.key().text + "=" + text));
  }
  return params;
}

// The hydra node resolved beside the job it belongs to, which it may refer to.
Node resolved_hydra(const Composition& composition, ResolveContext& context) {
  Node root = composition.job;
  root.mutable_dict().set("hydra", composition.hydra);
  context.hydra = composition.hydra;
  return resolve_text(root, "${hydra}", {}, context);
}

std::string text_at(const Node& hydra, const std::string& path) {
  const Node* node = hydra.find(path);
  if (node == nullptr || node->is_container() || node->is_null() || node->is_missing()) {
    throw Error(ErrorKind::kType,
                fmt::format("hydra.{}: found {}; expected a path", path, node == nullptr ? "nothing" : show(*node)));
  }
  return python_str(*node);
}

bool multirun_by_mode(const Node& hydra, const Flags& flags, std::vector<std::string>& warnings) {
  const Node* mode = hydra.find("mode");
  if (mode == nullptr || mode->is_null()) return flags.multirun;
  const std::string name = python_str(*mode);
  if (name != "RUN" && name != "MULTIRUN") {
    throw Error(ErrorKind::kType, fmt::format("hydra.mode: found '{}'; expected RUN, MULTIRUN or null", name));
  }
  if (flags.multirun && name == "RUN") {
    warnings.emplace_back("--multirun on the command line overrides hydra.mode=RUN");
    return true;
  }
  return flags.multirun || name == "MULTIRUN";
}

std::vector<const Override*> pointers(const std::vector<Override>& overrides) {
  std::vector<const Override*> items;
  for (const Override& item : overrides) items.push_back(&item);
  return items;
}

// Composes, resolves and checks the jobs of one launch.
class Planner {
 public:
  Planner(Composer composer, const Schema& schema, ResolveContext context)
      : composer_(std::move(composer)), schema_(schema), checker_(schema), context_(std::move(context)) {}

  Job job(int num, std::vector<std::string> texts, const std::vector<const Override*>& overrides) {
    Job job{num, std::move(texts), {}};
    try {
      const Composition composition = composer_.compose(overrides);
      // Checked before interpolations, which would name the first one only.
      schema_.check_missing(composition.job);
      if (composition.job.needs_resolving()) {
        context_.hydra.set("job.num", Node(num));
        job.config = checker_.validate(resolve(composition.job, context_));
      } else {
        job.config = checker_.validate(composition.job);
      }
    } catch (const Error& error) {
      throw with_override(error, overrides);
    }
    return job;
  }

 private:
  Composer composer_;
  const Schema& schema_;
  Checker checker_;
  ResolveContext context_;
};

}  // namespace

SearchPath search_path(const Flags& flags) {
  SearchPath path;
  if (flags.config_path) {
    try {
      path.add_folder("main", *flags.config_path);
    } catch (const Error&) {
      throw Error(ErrorKind::kMissing, "Primary config directory not found.",
                  fmt::format("Check that the config directory '{}' exists and readable", *flags.config_path));
    }
  }
  if (flags.config_dir) {
    try {
      path.add_folder("command-line", *flags.config_dir);
    } catch (const Error&) {
      throw Error(ErrorKind::kMissing, fmt::format("Additional config directory '{}' not found", *flags.config_dir));
    }
  }
  path.add_embedded("built-in", embedded_configs());
  return path;
}

Launch prepare(const Flags& flags, const Schema& schema, const SearchPath& base_path) {
  Launch launch;
  const std::string primary = flags.config_name.value_or("config");
  const std::vector<Override> overrides = parse_overrides(flags.overrides);
  const SearchPath path = with_searchpath(base_path, overrides, primary, launch.warnings);
  check_no_section_replaced(overrides, schema, path);

  std::vector<Override> task, own;
  for (const Override& item : overrides) (of_hydra(item) ? own : task).push_back(item);
  for (const Override& item : task) launch.task_overrides.push_back(item.input);
  for (const Override& item : own) launch.hydra_overrides.push_back(item.input);

  // The composition that a sweep starts from: its hydra node says how to sweep.
  const bool may_sweep =
      std::any_of(overrides.begin(), overrides.end(), [](const Override& o) { return o.is_sweep(); });
  Composition master =
      Composer(path, primary, {.allow_missing_groups = flags.multirun || may_sweep}).compose(overrides);
  launch.multirun = multirun_by_mode(master.hydra, flags, launch.warnings);
  if (!launch.multirun) check_no_sweep(overrides);
  fill_hydra(master, overrides, path, primary);
  ResolveContext context;
  const std::string kind = launch.multirun ? "sweep" : "run";
  launch.hydra = resolved_hydra(master, context);
  launch.output_dir = text_at(launch.hydra, kind + ".dir");
  launch.hydra.set("runtime.output_dir", Node(launch.output_dir));
  launch.hydra.set("mode", Node(launch.multirun ? "MULTIRUN" : "RUN"));
  context.hydra = launch.hydra;

  Planner planner(Composer(path, primary), schema, context);
  if (!launch.multirun) {
    launch.jobs.push_back(planner.job(0, launch.task_overrides, pointers(overrides)));
    return launch;
  }
  std::vector<Override> dimensions = sweeper_params(launch.hydra, launch.warnings);
  dimensions.insert(dimensions.end(), overrides.begin(), overrides.end());
  const Node* seed = launch.hydra.find("sweeper.seed");
  const bool seeded = seed != nullptr && seed->kind() == Node::Kind::kInt;
  // A sweep over hydra is refused by expand; what is left of hydra goes to every job as it is.
  std::erase_if(dimensions, [](const Override& item) { return of_hydra(item) && !item.is_sweep(); });
  const Sweep sweep = expand(dimensions, path, seeded ? static_cast<uint64_t>(seed->as_int()) : 0);
  launch.swept = sweep.swept();
  const size_t jobs = sweep.size();
  launch.jobs.reserve(jobs);
  std::map<std::string, Override> parsed;  // every text of the sweep once
  for (size_t num = 0; num < jobs; ++num) {
    std::vector<std::string> texts = sweep.overrides(num);
    std::vector<const Override*> items = pointers(own);
    for (const std::string& text : texts) {
      auto known = parsed.find(text);
      if (known == parsed.end()) known = parsed.emplace(text, parse_override(text)).first;
      items.push_back(&known->second);
    }
    try {
      launch.jobs.push_back(planner.job(static_cast<int>(num), texts, items));
    } catch (const Error& error) {
      throw Error(error.kind(), error.message(),
                  fmt::format("{}{}  job {} of {}: {}", error.details(), error.details().empty() ? "" : "\n", num, jobs,
                              join(texts, " ")));
    }
  }
  return launch;
}

}  // namespace roundtrip::config
