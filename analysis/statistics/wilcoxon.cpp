#include "analysis/statistics/wilcoxon.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace roundtrip::analysis {
namespace {

constexpr size_t kMostExact = 50, kMostExactTied = 13;

// Probability of each sum of positive ranks under fair signs. Indexed by twice the sum: tied ranks can be halves.
std::vector<double> chances_of_double_sums(const std::vector<double>& ranks) {
  std::vector<double> chance = {1};
  for (const double rank : ranks) {
    const auto step = static_cast<size_t>(std::lround(2 * rank));
    std::vector<double> with(chance.size() + step);
    for (size_t sum = 0; sum < chance.size(); ++sum) {
      with[sum] += chance[sum] / 2;
      with[sum + step] += chance[sum] / 2;
    }
    chance = std::move(with);
  }
  return chance;
}

double exact_p(const std::vector<double>& ranks, double positive, Alternative alternative) {
  const std::vector<double> chance = chances_of_double_sums(ranks);
  const auto observed = static_cast<size_t>(std::lround(2 * positive));
  double less = 0, greater = 0;
  for (size_t sum = 0; sum < chance.size(); ++sum) {
    if (sum <= observed) less += chance[sum];
    if (sum >= observed) greater += chance[sum];
  }
  switch (alternative) {
    case Alternative::kLess:
      return less;
    case Alternative::kGreater:
      return greater;
    case Alternative::kTwoSided:
      break;
  }
  return std::min(1.0, 2 * std::min(less, greater));
}

double approximate_p(double n, double positive, double tie_correction, Alternative alternative) {
  const double mean = n * (n + 1) / 4;
  const double error = std::sqrt((n * (n + 1) * (2 * n + 1) - tie_correction / 2) / 24);
  return normal_p((positive - mean) / error, alternative);
}

}  // namespace

SignedRank wilcoxon(std::span<const double> differences, Alternative alternative) {
  SignedRank result;
  std::vector<double> sizes;
  std::vector<bool> above;
  for (const double difference : differences) {
    if (difference == 0) continue;
    sizes.push_back(std::abs(difference));
    above.push_back(difference > 0);
  }
  result.n = static_cast<int64_t>(sizes.size());
  result.zeros = static_cast<int64_t>(differences.size() - sizes.size());
  if (differences.empty()) return result;
  result.exact = true;
  if (sizes.empty()) {
    result.p = 1;
    return result;
  }
  const Ranks ranks = rank(sizes);
  for (size_t k = 0; k < sizes.size(); ++k) result.positive += above[k] ? ranks.of[k] : 0;
  const bool plain = !ranks.tied() && result.zeros == 0;
  result.exact = differences.size() <= (plain ? kMostExact : kMostExactTied);
  result.p = result.exact
                 ? exact_p(ranks.of, result.positive, alternative)
                 : approximate_p(static_cast<double>(result.n), result.positive, ranks.tie_correction, alternative);
  return result;
}

}  // namespace roundtrip::analysis
