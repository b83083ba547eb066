#include "hydra/launch/launch.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "hydra/compose/hydra_node.h"
#include "hydra/compose/renamed_keys.h"
#include "hydra/interpolation/interpolation.h"
#include "hydra/launch/exclusion.h"
#include "hydra/launch/sweep.h"
#include "hydra/override/override.h"

namespace roundtrip::hydra {
namespace {

// Without --multirun a sweep is a mistake; the advice depends on its kind.
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

// A scalar that replaces a whole section would drop its keys; the group is meant.
void check_no_section_replaced(const std::vector<Override>& overrides, const TypeCheck& types, const SearchPath& path) {
  for (const Override& item : overrides) {
    if (!item.value || item.is_sweep() || item.value->get_if<ElementDict>() != nullptr || item.package) continue;
    if (item.type == Override::Type::kDelete || path.has_group(item.key) || !types.is_section(item.key)) continue;
    std::string group = item.key;
    std::replace(group.begin(), group.end(), '.', '/');
    throw Error(ErrorKind::kType,
                fmt::format("command line: '{}' would replace the whole section '{}'{}", item.input, item.key,
                            path.has_group(group) ? fmt::format("; use {}={}", group, to_text(*item.value)) : ""));
  }
}

// Puts Hydra's first line above our message for a value of the command line that its key does not accept.
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

std::vector<const Override*> pointers(const std::vector<Override>& overrides) {
  std::vector<const Override*> items;
  for (const Override& item : overrides) items.push_back(&item);
  return items;
}

// The part of a command line that precedes any job: the search path, and the composition that a sweep starts from,
// whose hydra node configures the sweep.
struct Opening {
  std::vector<std::string> warnings;
  std::string primary;
  std::vector<Override> overrides, of_hydra;
  SearchPath path;
  Composition master;
  bool multirun = false;

  Opening(const Flags& flags, const SearchPath& base_path)
      : primary(flags.config_name.value_or("config")),
        overrides(without_hydra_groups(parse_overrides(flags.overrides))),
        path(with_searchpath(base_path, overrides, primary, warnings)) {
    rename_keys(overrides, warnings);
    for (const Override& item : overrides) {
      if (is_of_hydra(item)) of_hydra.push_back(item);
    }
    const bool may_sweep =
        std::any_of(overrides.begin(), overrides.end(), [](const Override& o) { return o.is_sweep(); });
    master = Composer(path, primary, {.allow_missing_groups = flags.multirun || may_sweep}).compose(overrides);
    warnings.insert(warnings.end(), master.warnings.begin(), master.warnings.end());
    multirun = is_multirun(master.hydra, flags.multirun, warnings);
    fill_hydra(master, overrides, path, primary);
  }
};

// The sweeps of a launch: one for each grid of hydra.sweeper.params, the command line's axes in each.
struct Sweeps {
  std::vector<std::unique_ptr<Sweep>> sweeps;
  std::vector<Exclusion> exclusions;

  Sweeps(const Opening& opening, const Node& hydra, std::vector<std::string>& warnings) {
    const Node* seed = hydra.find("sweeper.seed");
    const bool seeded = seed != nullptr && seed->kind() == Node::Kind::kInt;
    for (std::vector<Override>& dimensions : sweeper_grids(hydra, warnings)) {
      rename_keys(dimensions, warnings);
      dimensions.insert(dimensions.end(), opening.overrides.begin(), opening.overrides.end());
      // expand() refuses a sweep over hydra; other overrides of hydra go to every job unchanged.
      std::erase_if(dimensions, [](const Override& item) { return is_of_hydra(item) && !item.is_sweep(); });
      sweeps.push_back(std::make_unique<Sweep>(
          expand(dimensions, opening.path, seeded ? static_cast<uint64_t>(seed->as_int()) : 0)));
      exclusions.emplace_back(hydra.find("sweeper.exclude"), *sweeps.back(), opening.master);
    }
  }

  size_t size() const {
    size_t sum = 0;
    for (const auto& sweep : sweeps) sum += sweep->size();
    return sum;
  }

  // Keys with more than one value, within a grid or from one grid to another.
  std::vector<std::string> swept() const {
    std::vector<std::string> order;
    std::map<std::string, std::set<std::string>> values;
    for (const auto& sweep : sweeps) {
      for (const auto& [key, texts] : sweep->values()) {
        if (!values.contains(key)) order.push_back(key);
        values[key].insert(texts.begin(), texts.end());
      }
    }
    std::erase_if(order, [&](const std::string& key) { return values.at(key).size() < 2; });
    return order;
  }

  // Calls `job` with the overrides of each job that is not excluded.
  template <typename Function>
  void for_each(Function job) const {
    for (size_t s = 0; s < sweeps.size(); ++s) {
      for (size_t k = 0; k < sweeps[s]->size(); ++k) {
        if (!exclusions[s].excludes(k)) job(sweeps[s]->overrides(k));
      }
    }
  }
};

// Parses every text of a sweep once.
class Parsed {
 public:
  const Override* of(const std::string& text) {
    const auto known = known_.find(text);
    return known != known_.end() ? &known->second : &known_.emplace(text, parse_override(text)).first->second;
  }

 private:
  std::map<std::string, Override> known_;
};

// Composes, resolves and checks the jobs of one launch.
class Planner {
 public:
  Planner(Composer composer, TypeCheck& types, ResolveContext context)
      : composer_(std::move(composer)), types_(types), context_(std::move(context)) {}

  // `num` is absent for a job outside a sweep.
  Job job(std::optional<int> num, std::vector<std::string> texts, const std::vector<const Override*>& overrides) {
    Job job{num.value_or(0), std::move(texts), {}, {}, {}};
    try {
      Composition composition = composer_.compose(overrides);
      // Check before resolving, which would name only the first missing value.
      check_missing(composition.job);
      const bool resolves = composition.job.needs_resolving();
      if (num && (resolves || has_subdir())) context_.hydra.set("job.num", Node(*num));
      job.config = types_.converted(resolves ? resolve(composition.job, context_) : composition.job);
      if (!num || has_subdir()) job.composed = composition.job;
      if (num && has_subdir()) job.subdir = subdir_of(composition, overrides);
    } catch (const Error& error) {
      throw with_override(error, overrides);
    }
    return job;
  }

 private:
  bool has_subdir() const {
    const Node* subdir = context_.hydra.find("sweep.subdir");
    return subdir != nullptr && !subdir->is_null();
  }

  std::string subdir_of(Composition composition, const std::vector<const Override*>& overrides) const {
    std::vector<Override> items;
    for (const Override* item : overrides) items.push_back(*item);
    fill_hydra(composition, items, composer_.search_path(), composer_.config_name());
    composition.hydra.set("job.num", *context_.hydra.find("job.num"));
    return text_at(resolved_hydra(composition, context_), "sweep.subdir");
  }

  Composer composer_;
  TypeCheck& types_;
  ResolveContext context_;
};

// The time, the environment and the hydra node that interpolations read.
ResolveContext context_of(const std::map<std::string, std::string>& variables) {
  ResolveContext context;
  if (variables.empty()) return context;
  context.environment = [variables](const std::string& name, std::string& value) {
    const auto found = variables.find(name);
    const char* const own = found != variables.end() ? found->second.c_str() : std::getenv(name.c_str());
    if (own != nullptr) value = own;
    return own != nullptr;
  };
  return context;
}

Error in_job(const Error& error, size_t num, size_t jobs, const std::vector<std::string>& texts) {
  return Error(error.kind(), error.message(),
               fmt::format("{}{}  job {} of {}: {}", error.details(), error.details().empty() ? "" : "\n", num, jobs,
                           join(texts, " ")));
}

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
      throw Error(ErrorKind::kMissing, fmt::format("Additional config directory '{}' not found",
                                                   std::filesystem::absolute(*flags.config_dir).string()));
    }
  }
  path.add_embedded("built-in", embedded_configs());
  return path;
}

Launch prepare(const Flags& flags, TypeCheck& types, const SearchPath& base_path) {
  Opening opening(flags, base_path);
  if (!opening.multirun) check_no_sweep(opening.overrides);
  check_no_section_replaced(opening.overrides, types, opening.path);

  Launch launch;
  launch.multirun = opening.multirun;
  launch.warnings = opening.warnings;
  launch.composed = opening.master.job;
  for (const Override& item : opening.overrides) {
    (is_of_hydra(item) ? launch.hydra_overrides : launch.task_overrides).push_back(item.input);
  }
  launch.environment = environment_of(opening.master.hydra);
  ResolveContext context = context_of(launch.environment);
  // Stays unresolved: each job resolves its own.
  const Node* subdir = opening.master.hydra.find("sweep.subdir");
  const Node subdir_as_written = subdir == nullptr ? Node() : *subdir;
  opening.master.hydra.set("sweep.subdir", Node());
  launch.hydra = resolved_hydra(opening.master, context);
  types.check_hydra(launch.hydra);
  launch.output_dir = text_at(launch.hydra, launch.multirun ? "sweep.dir" : "run.dir");
  launch.hydra.set("runtime.output_dir", Node(launch.output_dir));
  launch.hydra.set("mode", Node(launch.multirun ? "MULTIRUN" : "RUN"));
  launch.hydra.set("sweep.subdir", subdir_as_written);
  context.hydra = launch.hydra;

  Planner planner(Composer(opening.path, opening.primary), types, context);
  if (!launch.multirun) {
    launch.jobs.push_back(planner.job(std::nullopt, launch.task_overrides, pointers(opening.overrides)));
    return launch;
  }
  const Sweeps sweeps(opening, launch.hydra, launch.warnings);
  launch.swept = sweeps.swept();
  launch.jobs.reserve(sweeps.size());
  Parsed parsed;
  sweeps.for_each([&](std::vector<std::string> texts) {
    std::vector<const Override*> items = pointers(opening.of_hydra);
    for (const std::string& text : texts) items.push_back(parsed.of(text));
    const size_t num = launch.jobs.size();
    try {
      launch.jobs.push_back(planner.job(static_cast<int>(num), texts, items));
    } catch (const Error& error) {
      throw in_job(error, num, sweeps.size(), texts);
    }
  });
  if (launch.jobs.empty()) {
    throw Error(ErrorKind::kCompose,
                fmt::format("hydra.sweeper.exclude leaves none of the sweep's {} jobs", sweeps.size()));
  }
  if (launch.jobs.size() < sweeps.size()) {
    launch.warnings.push_back(
        fmt::format("{} of {} combinations are excluded", sweeps.size() - launch.jobs.size(), sweeps.size()));
  }
  return launch;
}

Composition preview(const Flags& flags, const SearchPath& base_path, Strictness strictness) {
  Flags lenient = flags;
  lenient.multirun = flags.multirun || strictness == Strictness::kLenient;
  Opening opening(lenient, base_path);
  if (!opening.multirun) check_no_sweep(opening.overrides);
  return opening.master;
}

std::vector<JobPreview> preview_jobs(const Flags& flags, const SearchPath& base_path) {
  Opening opening(flags, base_path);
  const Sweeps sweeps(opening, resolved_hydra(opening.master, {}), opening.warnings);
  Composer composer(opening.path, opening.primary, {.allow_missing_groups = true});
  Parsed parsed;
  std::vector<JobPreview> jobs;
  sweeps.for_each([&](std::vector<std::string> texts) {
    std::vector<const Override*> items = pointers(opening.of_hydra);
    for (const std::string& text : texts) items.push_back(parsed.of(text));
    Composition composition = composer.compose(items);
    composition.hydra.set("job.num", Node(static_cast<int>(jobs.size())));
    jobs.push_back({texts, std::move(composition)});
  });
  return jobs;
}

}  // namespace roundtrip::hydra
