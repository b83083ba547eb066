#include "analysis/statistics/holm.h"

#include <algorithm>
#include <cmath>

namespace roundtrip::analysis {

std::vector<double> holm(std::span<const double> p) {
  std::vector<size_t> order;
  for (size_t k = 0; k < p.size(); ++k) {
    if (!std::isnan(p[k])) order.push_back(k);
  }
  std::ranges::sort(order, {}, [&](size_t k) { return p[k]; });
  std::vector<double> adjusted(p.begin(), p.end());
  double least = 0;  // a test is never more significant than the one before it
  for (size_t k = 0; k < order.size(); ++k) {
    least = std::max(least, std::min(1.0, p[order[k]] * static_cast<double>(order.size() - k)));
    adjusted[order[k]] = least;
  }
  return adjusted;
}

}  // namespace roundtrip::analysis
