// Runs a plan: samples one after another, all their trials together, records to the store as they finish.
#pragma once

#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "analysis/table/run_table.h"
#include "plan/plan.h"
#include "run/provenance.h"
#include "run/resume.h"

namespace roundtrip::run {

struct RunOptions {
  std::filesystem::path directory;
  std::function<bool()> stop = {};          // called between batches; true stops the run and saves its records
  std::function<void()> on_directory = {};  // called once the directory belongs to this run
  std::FILE* log = stderr;                  // progress, failures as they happen, notes
  Provenance provenance = {};               // from the caller: the command line
  Resume resume = Resume::kNo;
  bool retry_failed = false;                 // a resumed run makes its failed records again
  std::optional<int64_t> max_failures = {};  // stop once more than this many records have failed
};

struct RunOutcome {
  int64_t records = 0;      // stored so far
  int64_t evaluations = 0;  // made by this process
  std::vector<analysis::RunFailure> failures;
  bool interrupted = false, gave_up = false;  // due to options.stop; due to options.max_failures
  std::filesystem::path results;
  std::string table;  // means by trial
};

// Throws kInput if the directory cannot be written or the disk is full, and as open_store does. Until results.h5 is
// complete, the run can be resumed.
RunOutcome run_plan(const plan::Plan& plan, const RunOptions& options);

}  // namespace roundtrip::run
