// Means of the columns of per_step/ over a cell's records, by grid index.
#pragma once

#include <vector>

#include "analysis/table/results.h"

namespace roundtrip::analysis {

struct StepMean {
  int64_t i = 0;                                         // grid index: 0 is the clean end
  double pivot_distance = 0, loss = 0, inner_steps = 0;  // NaN if no record has a value
  int64_t records = 0;
};

// Averages over the first records of the cell, at most `most_records`: files can have fifty million steps. Empty if the
// file has no steps of these records.
std::vector<StepMean> step_means(const Results& results, const Cell& cell, size_t most_records);

}  // namespace roundtrip::analysis
