// Holds a claim against the results: does it hold, does it fail, or do these images not decide it?
//
// Each relation is judged over the images that both sides have, on the differences d towards the claimed side:
//   a < b   holds where the interval of mean d is above 0 and the one-sided Wilcoxon test has p below the claim's;
//           fails where the interval is not above 0 at all
//   a <= b  holds where the interval is not below 0, fails where all of it is
//   a = b   holds where the interval lies within the margin, fails where all of it lies beyond
// and is undecided otherwise, or of fewer than two images. Tests over several cases are Holm-corrected. A claim holds
// where it does in every case, and fails where it does in one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/claims/claim.h"
#include "analysis/statistics/interval.h"
#include "analysis/table/results.h"

namespace roundtrip::analysis {

enum class Verdict { kHolds, kFails, kUndecided };
std::string_view verdict_text(Verdict verdict);  // "holds", "fails", "undecided"

// One relation in one case.
struct RelationCheck {
  Verdict verdict = Verdict::kUndecided;
  std::string setting = {};  // what the claim leaves open: "w 7.5"; empty where nothing
  Relation relation = Relation::kLess;
  double left = 0, right = 0;        // means over the images
  Interval difference = {};          // of the mean of right - left
  double p = 1;                      // of < and >, corrected
  int64_t images = 0, left_out = 0;  // with a finite difference; without (failed, NaN, infinite)
};

struct ClaimCheck {
  Claim claim;
  Verdict verdict = Verdict::kUndecided;
  std::vector<RelationCheck> relations = {};
  std::string why = {};  // of a claim that could not be looked at
};

// Throws kInput for an axis or a column that the run does not have.
ClaimCheck check_claim(const Claim& claim, const Results& results);

std::string one_line(const RelationCheck& check);

}  // namespace roundtrip::analysis
