// Checks a claim against the results: it holds, it fails, or these images do not decide it.
//
// Each relation is judged by the differences d towards the claimed side, over the images that both sides have:
//   a < b   holds where the interval of mean d is above 0 and the one-sided Wilcoxon test has p below the claim's;
//           fails where the interval is not above 0 at all
//   a <= b  holds where the interval is not below 0, fails where all of it is
//   a = b   holds where the interval is within the margin, fails where all of it is beyond
// A relation is undecided otherwise, and with fewer than two images. Tests over several cases are Holm-corrected. A
// claim holds if it holds in every case, and fails if it fails in one.
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
  std::string setting = {};  // values of the axes that the claim leaves open: "w 7.5"; may be empty
  Relation relation = Relation::kLess;
  double left = 0, right = 0;        // means over the images
  Interval difference = {};          // mean of right - left
  double p = 1;                      // < and > only, corrected
  int64_t images = 0, left_out = 0;  // with a finite difference; without one (failed, NaN, infinite)
};

struct ClaimCheck {
  Claim claim;
  Verdict verdict = Verdict::kUndecided;
  std::vector<RelationCheck> relations = {};
  std::string why = {};  // reason why the claim could not be checked
};

// Throws kInput for an axis or a column that the run does not have.
ClaimCheck check_claim(const Claim& claim, const Results& results);

std::string one_line(const RelationCheck& check);

}  // namespace roundtrip::analysis
