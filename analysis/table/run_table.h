// Table that a run prints at its end: a line for each trial with means over its images, and the failures.
//
// Records are read a stretch at a time, so memory does not depend on the length of the run. The trials come from the
// run, which also knows those without a record yet. results.h has the means over seeds, with intervals.
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
  // Columns: the method and the varying axes; images; each metric, and for edits also the leading metrics' scores
  // against answer and background; the codec's own loss; network evaluations and seconds per image. +inf, the PSNR of
  // equal images, is counted separately and not averaged.
  std::string text;
};

// `settings` has the values of each trial's axes by column.
RunTable read_run_table(const store::ResultsReader& results,
                        const std::vector<std::map<std::string, store::Value>>& settings);

}  // namespace roundtrip::analysis
