// Runs a plan: samples one after another, all their trials together, records to the store as they finish.
#pragma once

#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "run/plan.h"
#include "run/provenance.h"

namespace roundtrip::run {

struct RunOptions {
  std::filesystem::path directory;
  std::function<bool()> stop = {};          // asked between batches; true ends the run with what there is
  std::function<void()> on_directory = {};  // called once the directory is known to be this run's
  std::FILE* log = stderr;                  // progress, failures as they happen, notes
  Provenance provenance = {};               // what the caller knows: the command line
};

struct RunOutcome {
  int64_t records = 0, failed = 0;
  bool interrupted = false;
  std::filesystem::path results;
  std::string table;  // means by trial
};

// Throws kInput where the directory already holds results or cannot be written, or the disk is full.
RunOutcome run_plan(const Plan& plan, const RunOptions& options);

}  // namespace roundtrip::run
