// Matches the cells of two runs by their setting, and checks that their numbers compare.
#pragma once

#include <string>
#include <vector>

#include "analysis/table/results.h"

namespace roundtrip::analysis {

struct CellMatch {
  const Cell *a = nullptr, *b = nullptr;  // at most one is null
};

// Returns all cells of both runs, those of `a` first, in their order. Cells match if they agree in all axes of either
// run; an axis that a run does not have counts as one without a value.
std::vector<CellMatch> match_cells(const Results& a, const Results& b);

// "method=ddim steps=50 ...": every axis with a value, varying or not. Equal settings have equal keys in all runs.
std::string setting_key(const Results& results, const Cell& cell);

// Throws kInput if a metric has a different version in each run, because its numbers then do not compare.
void require_equal_versions(const Results& a, const Results& b);

}  // namespace roundtrip::analysis
