// Which cells a claim speaks of. What a selector leaves open and the run varies, the claim says of each value: the
// measures of a claim are brought together by the axes that they share.
//
//   psnr[method=null_text] > psnr[method=ddim]     in a sweep over w: once for each w
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/claims/claim.h"
#include "analysis/table/results.h"

namespace roundtrip::analysis {

// The cells of every measure and slope of a claim, in the order in which they stand, under one choice of the open axes.
struct ClaimCase {
  std::map<size_t, store::Value> open;          // axis -> value
  std::vector<std::vector<const Cell*>> cells;  // of a measure one, of a slope one for each value of its axis
};

// Throws kInput for an axis or a column that the run does not have. No case: the run has no such cells, and `why` says
// which are missing.
std::vector<ClaimCase> cases_of(const Claim& claim, const Results& results, std::string& why);

std::vector<const Cell*> select(const Results& results, const Selector& where);

}  // namespace roundtrip::analysis
