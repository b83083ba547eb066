// Finds the cells that a claim is about. A claim is checked for each value of an axis that its selectors leave open
// and that the run varies. The measures of a claim are matched by the axes that they share.
//
//   psnr[method=null_text] > psnr[method=ddim]     in a sweep over w: once for each w
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/claims/claim.h"
#include "analysis/table/results.h"

namespace roundtrip::analysis {

// Cells of every measure and slope of a claim, in the order of its text, under one choice of the open axes.
struct ClaimCase {
  std::map<size_t, store::Value> open;          // axis -> value
  std::vector<std::vector<const Cell*>> cells;  // a measure has one, a slope one for each value of its axis
};

// Throws kInput for an axis or a column that the run does not have. Without any case the run has no such cells, and
// `why` names those that are missing.
std::vector<ClaimCase> cases_of(const Claim& claim, const Results& results, std::string& why);

std::vector<const Cell*> select(const Results& results, const Selector& where);

}  // namespace roundtrip::analysis
