// Baseline of the gate: a run's table without pictures, trajectories and steps, small enough for git.
#pragma once

#include <filesystem>
#include <string>

#include "analysis/table/results.h"

namespace roundtrip::analysis {

// Writes the run's records to `file`, replacing its contents.
void write_baseline(const Results& run, const std::filesystem::path& file);

// Lists the cells and metrics that the new baseline adds, drops, or gives another mean. May be empty.
std::string baseline_changes(const Results& before, const Results& now);

}  // namespace roundtrip::analysis
