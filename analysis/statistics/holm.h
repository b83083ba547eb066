// Holm's step-down correction (Holm 1979): p-values of several tests, adjusted so that comparing each with alpha keeps
// the chance of any false alarm below alpha.
#pragma once

#include <span>
#include <vector>

namespace roundtrip::analysis {

// Keeps the given order. NaN stays NaN and does not count as a test.
std::vector<double> holm(std::span<const double> p);

}  // namespace roundtrip::analysis
