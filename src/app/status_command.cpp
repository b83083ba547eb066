// roundtrip status: prints the state of a run from its directory, during the run or afterwards.
#include <cstdio>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/shell_words.h"
#include "base/error.h"
#include "base/text.h"
#include "store/run_status.h"

namespace roundtrip::app {
namespace {

constexpr size_t kMaxShownFailures = 20;
constexpr double kSilence = 60;  // a writer updates its progress every second, between batches

std::string state_of(const store::RunStatus& status) {
  if (status.being_written) {
    return status.progress_age < kSilence
               ? "running"
               : fmt::format("running; its last batch ended {} ago", seconds_text(status.progress_age));
  }
  const bool whole = status.written == status.planned;
  if (status.finished) return whole ? "finished" : "stopped, and saved in results.h5";
  return "killed; finished records are kept";
}

int status_command(const Words& words) {
  if (words.size() != 1 || words[0].starts_with('-')) {
    throw Error(ErrorKind::kUsage, "roundtrip status: expected the directory of a run");
  }
  const std::string& directory = words[0];
  const store::RunStatus status = store::read_run_status(directory);
  const auto line = [](const char* name, const std::string& value) { fmt::print("{:<10}{}\n", name, value); };
  line("run", directory);
  line("state", state_of(status));
  if (const auto started = status.provenance.find("started_utc"); started != status.provenance.end()) {
    line("started", started->second);
  }
  const size_t failed = status.failures.size();
  line("records", fmt::format("{} of {}{}", status.written, status.planned,
                              failed > 0 ? fmt::format(", {} of them failed", failed) : ""));
  if (status.being_written && !status.progress.empty()) line("progress", status.progress);
  for (size_t k = 0; k < std::min(failed, kMaxShownFailures); ++k) {
    const store::RunStatus::Failure& failure = status.failures[k];
    line(k == 0 ? "failed" : "", fmt::format("trial {}, sample {}{}{}: {}", failure.trial, failure.sample,
                                             failure.edit.empty() ? "" : ", edit ", failure.edit, failure.error));
  }
  if (failed > kMaxShownFailures) line("", fmt::format("and {} more", failed - kMaxShownFailures));
  if (!status.being_written && (status.written < status.planned || failed > 0)) {
    Words command = {"roundtrip", "run", "--resume", directory};
    if (failed > 0) command.push_back("--retry-failed");
    line("resume", shell_line(command));
  }
  return 0;
}

const CommandRegistration registration{
    {.name = "status",
     .group = CommandGroup::kRuns,
     .synopsis = "status DIR",
     .summary = "show the progress and failures of a run, while it runs or afterwards",
     .run = status_command}};

}  // namespace
}  // namespace roundtrip::app
