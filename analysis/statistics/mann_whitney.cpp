#include "analysis/statistics/mann_whitney.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace roundtrip::analysis {

RankSum mann_whitney(std::span<const double> first, std::span<const double> second, Alternative alternative) {
  RankSum result;
  if (first.empty() || second.empty()) return result;
  std::vector<double> all(first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  const Ranks ranks = rank(all);
  const auto n1 = static_cast<double>(first.size()), n2 = static_cast<double>(second.size()), n = n1 + n2;
  const double sum = std::accumulate(ranks.of.begin(), ranks.of.begin() + static_cast<ptrdiff_t>(first.size()), 0.0);
  result.u = sum - n1 * (n1 + 1) / 2;

  const double u = alternative == Alternative::kGreater ? result.u
                   : alternative == Alternative::kLess  ? n1 * n2 - result.u
                                                        : std::max(result.u, n1 * n2 - result.u);
  const double variance = n1 * n2 / 12 * (n + 1 - ranks.tie_correction / (n * (n - 1)));
  if (variance == 0) {
    result.p = 1;  // every value is the same
    return result;
  }
  const double z = (u - n1 * n2 / 2 - 0.5) / std::sqrt(variance);
  const double tail = normal_p(z, Alternative::kGreater);
  result.p = std::min(1.0, alternative == Alternative::kTwoSided ? 2 * tail : tail);
  return result;
}

}  // namespace roundtrip::analysis
