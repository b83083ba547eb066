// The table that a run prints at its end: a line for each trial, means over its images; and what failed.
//
// Records are read a stretch at a time, so that a run of any length ends in little memory. The trials come from the
// run, which also knows those that have no record yet. Means of a cell over seeds, with intervals, are results.h's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/results_reader.h"

namespace roundtrip::analysis {

struct RunFailure {
  size_t trial = 0;
  std::string sample, edit, error;
};

struct RunTable {
  int64_t records = 0;
  std::vector<RunFailure> failures;  // in plan order
  // Columns: what varies over the trials and the method; images; each metric, of edits also the first ones' scores
  // against answer and background, and what the codec alone loses; network evaluations and seconds of an image. +inf,
  // the PSNR of equal images, is counted apart and not averaged.
  std::string text;
};

// `settings`: of each trial, the values of its axes by column.
RunTable read_run_table(const store::ResultsReader& results,
                        const std::vector<std::map<std::string, store::Value>>& settings);

}  // namespace roundtrip::analysis
