// The baseline that a gate compares with: a run's table without its pictures, trajectories and steps, small enough for
// git.
#pragma once

#include <filesystem>
#include <string>

#include "analysis/table/results.h"

namespace roundtrip::analysis {

// Writes the run's records to `file`, in place of what is there.
void write_baseline(const Results& run, const std::filesystem::path& file);

// What the new baseline changes: cells and metrics that come, go, or have another mean. Empty where nothing does.
std::string baseline_changes(const Results& before, const Results& now);

}  // namespace roundtrip::analysis
