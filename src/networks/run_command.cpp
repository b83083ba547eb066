// roundtrip run and roundtrip plan: from the command line to a plan, and from there to results.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/show_config.h"
#include "base/error.h"
#include "base/text.h"
#include "config/launch.h"
#include "networks/config_files.h"
#include "networks/interrupt.h"
#include "run/plan.h"
#include "run/runner.h"
#include "run/schema.h"

namespace roundtrip::networks {
namespace {

using app::CommandGroup;
using app::CommandRegistration;
using app::Words;

config::Launch launch_of(const config::Flags& flags) {
  config::Launch launch = config::prepare(flags, run::schema(), config::search_path(flags));
  for (const std::string& warning : launch.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  return launch;
}

std::string command_line(const Words& words) { return "roundtrip " + join(words, " "); }

int run_command(const Words& words) {
  const config::Flags flags = config::parse_flags(words);
  if (const std::optional<std::string> text = app::shown_config(flags)) {
    std::fputs(text->c_str(), stdout);
    return 0;
  }
  const config::Launch launch = launch_of(flags);
  const run::Plan plan = run::make_plan(launch);
  if (flags.dry_run) {
    std::fputs(run::plan_text(plan).c_str(), stdout);
    return 0;
  }
  for (const auto& [name, value] : launch.environment) ::setenv(name.c_str(), value.c_str(), 1);
  watch_for_interrupts();
  run::RunOptions options{.directory = launch.output_dir,
                          .stop = [] { return interrupt_signal() != 0; },
                          .on_directory = {},
                          .provenance = {{"command_line", command_line(words)}}};
  options.on_directory = [&] {
    write_config_files(launch, options.directory);
    std::fprintf(stderr, "%zu trials, %lld records, %lld network evaluations\n", plan.trials.size(),
                 static_cast<long long>(plan.records), static_cast<long long>(plan.made.forward));
  };
  const run::RunOutcome outcome = run::run_plan(plan, options);

  std::fputs(outcome.table.c_str(), stdout);
  fmt::print("\n{} of {} records{}; results in {}\n", outcome.records, plan.records,
             outcome.failed > 0 ? fmt::format(", {} of them failed", outcome.failed) : "", outcome.results.string());
  if (outcome.interrupted) {
    std::fprintf(stderr, "interrupted: what was finished is in %s\n", outcome.results.c_str());
    return 128 + interrupt_signal();
  }
  return outcome.failed > 0 ? 3 : 0;
}

int plan_command(const Words& words) {
  Words rest = words;
  const bool json = std::erase(rest, "--json") > 0;
  const config::Launch launch = launch_of(config::parse_flags(rest));
  const run::Plan plan = run::make_plan(launch);
  std::fputs((json ? run::plan_json(plan) : run::plan_text(plan)).c_str(), stdout);
  return 0;
}

int rerun_command(const Words& words) {
  if (words.empty() || words[0].starts_with('-') || words[0].find('=') != std::string::npos) {
    throw Error(ErrorKind::kUsage, "roundtrip rerun: expected the directory of a run, then overrides if any");
  }
  Words again = replay_words(words[0]);
  again.insert(again.end(), words.begin() + 1, words.end());
  return run_command(again);
}

const CommandRegistration run_registration{{.name = "run",
                                            .group = CommandGroup::kRuns,
                                            .synopsis = "[run] [-m] [KEY=VALUE ...]",
                                            .summary = "one trial over a dataset; -m sweeps over values with commas",
                                            .run = run_command}};
const CommandRegistration rerun_registration{{.name = "rerun",
                                              .group = CommandGroup::kRuns,
                                              .synopsis = "rerun DIR [KEY=VALUE ...]",
                                              .summary = "what ran in DIR once more, in a directory of its own",
                                              .run = rerun_command}};
const CommandRegistration plan_registration{{.name = "plan",
                                             .group = CommandGroup::kRuns,
                                             .synopsis = "plan [-m] [KEY=VALUE ...]",
                                             .summary = "what would run: trials, records, network evaluations; --json",
                                             .run = plan_command}};

}  // namespace
}  // namespace roundtrip::networks
