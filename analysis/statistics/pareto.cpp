#include "analysis/statistics/pareto.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace roundtrip::analysis {

std::vector<size_t> pareto_front(std::span<const double> cost, std::span<const double> quality, bool higher_is_better) {
  const auto loss = [&](size_t k) { return higher_is_better ? -quality[k] : quality[k]; };
  std::vector<size_t> order;
  for (size_t k = 0; k < cost.size(); ++k) {
    if (!std::isnan(cost[k]) && !std::isnan(quality[k])) order.push_back(k);
  }
  std::ranges::stable_sort(order, {}, [&](size_t k) { return std::pair(cost[k], loss(k)); });
  std::vector<size_t> front;
  double best = std::numeric_limits<double>::infinity();
  for (const size_t k : order) {
    const bool twin = !front.empty() && cost[k] == cost[front.back()] && loss(k) == loss(front.back());
    if (loss(k) < best || twin) front.push_back(k);
    best = std::min(best, loss(k));
  }
  return front;
}

}  // namespace roundtrip::analysis
