// Runs of one sweep that were shared out, by settings or by images, into one.
//
// A record is known by its trial's id, its sample and its edit. Where two runs have it, one that did not fail counts
// before one that did, else the earlier run's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace roundtrip::store {

struct MergedRuns {
  std::filesystem::path results;
  int64_t records = 0;
  int64_t repeated = 0;  // that more than one run had
  int64_t missing = 0;   // that the runs had planned and do not have
};

// Writes `directory`/results.h5, whose trials and samples stand in the order of the runs; pictures and trajectories
// that lie in the results files come along. Throws kInput where `directory` holds results, where a run gives its trials
// no ids, where columns of one name have another type, unit or metric version, and where one sample has two inputs.
MergedRuns merge_runs(std::span<const std::filesystem::path> results, const std::filesystem::path& directory);

}  // namespace roundtrip::store
