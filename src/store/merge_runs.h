// Merges runs of one sweep that was split by settings or by images.
// A record is identified by its trial's id, its sample and its edit. Where two runs have it, one that did not fail
// precedes one that did; otherwise the earlier run's counts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace roundtrip::store {

struct MergedRuns {
  std::filesystem::path results;
  int64_t records = 0;
  int64_t repeated = 0;  // in more than one run
  int64_t missing = 0;   // planned but in no run
};

// Writes `directory`/results.h5, with trials and samples in the order of the runs and the images and trajectories of
// the results files. Throws kInput where `directory` has results, where the trials of a run have no ids, where columns
// of one name differ in type, unit or metric version, and where one sample has two inputs.
MergedRuns merge_runs(std::span<const std::filesystem::path> results, const std::filesystem::path& directory);

}  // namespace roundtrip::store
