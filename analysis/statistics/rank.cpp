#include "analysis/statistics/rank.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/statistics/distributions.h"

namespace roundtrip::analysis {

Ranks rank(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t k) { return values[k]; });
  Ranks ranks;
  ranks.of.resize(values.size());
  for (size_t from = 0; from < order.size();) {
    size_t to = from + 1;
    while (to < order.size() && values[order[to]] == values[order[from]]) ++to;
    const auto t = static_cast<double>(to - from);
    const double shared = static_cast<double>(from + to + 1) / 2;  // the mean of from + 1 .. to
    for (size_t k = from; k < to; ++k) ranks.of[order[k]] = shared;
    ranks.tie_correction += t * t * t - t;
    from = to;
  }
  return ranks;
}

double normal_p(double z, Alternative alternative) {
  switch (alternative) {
    case Alternative::kLess:
      return normal_cdf(z);
    case Alternative::kGreater:
      return normal_cdf(-z);
    case Alternative::kTwoSided:
      break;
  }
  return 2 * normal_cdf(-std::abs(z));
}

}  // namespace roundtrip::analysis
