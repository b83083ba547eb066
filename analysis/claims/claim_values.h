// The values of a claim's expressions, image by image.
#pragma once

#include <vector>

#include "analysis/claims/claim_cells.h"
#include "analysis/table/sample_values.h"

namespace roundtrip::analysis {

// Value of an expression by image; an expression without measures has one value for all images.
struct ValuesOf {
  SampleValues by_image = {};
  bool constant = false;
  double value = 0;
};

// Values of each operand of the claim, in one case.
std::vector<ValuesOf> values_of(const Claim& claim, const Results& results, const ClaimCase& of);

// Difference over the images that both have.
Pairs side_by_side(const ValuesOf& left, const ValuesOf& right);

}  // namespace roundtrip::analysis
