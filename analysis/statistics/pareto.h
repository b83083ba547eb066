// The Pareto front of quality against cost: the points that no other point beats in both.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace roundtrip::analysis {

// Returns the indices of the points on the front, by rising cost. Less cost is better; `higher_is_better` is about
// quality. Points with NaN are not on the front; equal points all are.
std::vector<size_t> pareto_front(std::span<const double> cost, std::span<const double> quality, bool higher_is_better);

}  // namespace roundtrip::analysis
