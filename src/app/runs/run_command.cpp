// roundtrip run and roundtrip plan: turn a command line into a plan, and the plan into results.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/run_flags.h"
#include "app/runs/config_files.h"
#include "app/shell_words.h"
#include "app/show_config.h"
#include "base/error.h"
#include "base/text.h"
#include "config/launch.h"
#include "plan/plan_text.h"
#include "plan/schema.h"
#include "run/estimate.h"
#include "run/interrupt.h"
#include "run/runner.h"

namespace roundtrip::app {
namespace {

hydra::Launch launch_of(const hydra::Flags& flags) {
  hydra::Launch launch = config::prepare(flags, plan::schema(), hydra::search_path(flags));
  for (const std::string& warning : launch.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  return launch;
}

constexpr size_t kMaxShownFailures = 10;

run::Resume resume_of(const RunFlags& flags) {
  if (!flags.resume) return run::Resume::kNo;
  return *flags.resume == "extend" ? run::Resume::kExtend : run::Resume::kSame;
}

// `--resume DIR` uses the words that made DIR, followed by those on the command line.
RunFlags flags_of(const Words& words) {
  RunFlags flags = parse_run_flags(words);
  if (!flags.resume || flags.resume->empty() || *flags.resume == "extend") return flags;
  RunFlags resumed = parse_run_flags(resume_words(*flags.resume));
  resumed.overrides.insert(resumed.overrides.end(), flags.overrides.begin(), flags.overrides.end());
  resumed.resume = flags.resume;
  resumed.retry_failed = flags.retry_failed;
  resumed.max_failures = flags.max_failures;
  resumed.dry_run = flags.dry_run;
  return resumed;
}

// Command that makes a single record.
std::string rerun_line(const hydra::Launch& launch, const plan::Trial& trial, const std::string& sample) {
  Words words = {"roundtrip"};
  for (const std::string& word : config_flags(launch.hydra)) words.push_back(word);
  words.insert(words.end(), trial.overrides.begin(), trial.overrides.end());
  words.push_back("dataset.ids=[" + quoted_value(sample) + "]");
  return shell_line(words);
}

void list_failures(const hydra::Launch& launch, const plan::Plan& plan, const run::RunOutcome& outcome) {
  const size_t failed = outcome.failures.size();
  for (size_t k = 0; k < std::min(failed, kMaxShownFailures); ++k) {
    const analysis::RunFailure& failure = outcome.failures[k];
    fmt::print(stderr, "failed: trial {}, sample {}{}{}: {}\n    {}\n", failure.trial, failure.sample,
               failure.edit.empty() ? "" : ", edit ", failure.edit, failure.error,
               rerun_line(launch, plan.trials[failure.trial], failure.sample));
  }
  if (failed > kMaxShownFailures) {
    fmt::print(stderr, "and {} more failed: {}\n", failed - kMaxShownFailures,
               shell_line({"roundtrip", "status", outcome.results.parent_path().string()}));
  }
}

int run_command(const Words& words) {
  const RunFlags flags = flags_of(words);
  if (const std::optional<std::string> text = shown_config(flags)) {
    std::fputs(text->c_str(), stdout);
    return 0;
  }
  const hydra::Launch launch = launch_of(flags);
  if (flags.dry_run) {
    std::fputs(plan::plan_text(plan::make_plan(launch, plan::TrialIds::kOmit)).c_str(), stdout);
    return 0;
  }
  const plan::Plan plan = plan::make_plan(launch);
  for (const auto& [name, value] : launch.environment) ::setenv(name.c_str(), value.c_str(), 1);
  run::watch_for_interrupts();
  run::RunOptions options{.directory = launch.output_dir,
                          .stop = [] { return run::interrupt_signal() != 0; },
                          .on_directory = {},
                          .provenance = {{"command_line", shell_line(words)}},
                          .resume = resume_of(flags),
                          .retry_failed = flags.retry_failed};
  if (flags.max_failures) options.max_failures = std::stoll(*flags.max_failures);
  options.on_directory = [&] {
    if (options.resume != run::Resume::kSame) write_config_files(launch, options.directory);
    fmt::print(stderr, "{} trials, {} records, {} network evaluations without sharing, {} with sharing\n",
               plan.trials.size(), plan.records, plan.asked.most.forward, plan.made.most.forward);
  };
  const run::RunOutcome outcome = run::run_plan(plan, options);

  const size_t failed = outcome.failures.size();
  std::fputs(outcome.table.c_str(), stdout);
  fmt::print("\n{} of {} records{}; {} network evaluations made; results in {}\n", outcome.records, plan.records,
             failed > 0 ? fmt::format(", {} of them failed", failed) : "", outcome.evaluations,
             outcome.results.string());
  std::fflush(stdout);
  list_failures(launch, plan, outcome);
  if (outcome.interrupted || outcome.gave_up) {
    fmt::print(stderr, "{}: finished records are in {}; resume with: {}\n",
               outcome.interrupted ? "interrupted" : "too many failures", outcome.results.string(),
               shell_line({"roundtrip", "run", "--resume", outcome.results.parent_path().string()}));
    if (outcome.interrupted) return 128 + run::interrupt_signal();
  }
  return failed > 0 ? 3 : 0;
}

int plan_command(const Words& words) {
  Words rest = words;
  const bool json = std::erase(rest, "--json") > 0;
  const bool unmeasured = std::erase(rest, "--no-calibration") > 0;
  const hydra::Launch launch = launch_of(parse_run_flags(rest));
  const plan::Plan plan = plan::make_plan(launch, plan::TrialIds::kOmit);
  std::optional<plan::Estimate> estimate;
  if (!unmeasured) estimate = run::estimate_plan(plan);
  std::fputs((json ? plan::plan_json(plan, estimate) : plan::plan_text(plan, estimate)).c_str(), stdout);
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

const CommandRegistration run_registration{
    {.name = "run",
     .group = CommandGroup::kRuns,
     .synopsis = "[run] [-m] [--resume DIR] [KEY=VALUE ...]",
     .summary = "run one trial over a dataset; -m sweeps over comma-separated values",
     .run = run_command}};
const CommandRegistration rerun_registration{{.name = "rerun",
                                              .group = CommandGroup::kRuns,
                                              .synopsis = "rerun DIR [KEY=VALUE ...]",
                                              .summary = "repeat the run in DIR, into a new directory",
                                              .run = rerun_command}};
const CommandRegistration plan_registration{
    {.name = "plan",
     .group = CommandGroup::kRuns,
     .synopsis = "plan [-m] [KEY=VALUE ...]",
     .summary = "show what would run, and for how long: --json, --no-calibration",
     .run = plan_command}};

}  // namespace
}  // namespace roundtrip::app
