// Which cells of two runs are the same setting, and whether their numbers may be compared at all.
#pragma once

#include <string>
#include <vector>

#include "analysis/table/results.h"

namespace roundtrip::analysis {

struct CellMatch {
  const Cell *a = nullptr, *b = nullptr;  // one of them may be missing
};

// All cells of both, those of `a` first in their order. Cells match where all axes that either run has are equal; an
// axis that a run does not have counts as one without a value.
std::vector<CellMatch> match_cells(const Results& a, const Results& b);

// "method=ddim steps=50 ...": every axis with a value, whatever varies. Equal settings have equal keys in all runs.
std::string setting_key(const Results& results, const Cell& cell);

// Throws kInput where a metric that both runs have is of another version in each, so that its numbers mean something
// else.
void require_equal_versions(const Results& a, const Results& b);

}  // namespace roundtrip::analysis
