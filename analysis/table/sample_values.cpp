#include "analysis/table/sample_values.h"

#include <algorithm>
#include <cmath>

namespace roundtrip::analysis {

SampleValues sample_values(const Results& results, const Cell& cell, const std::string& column) {
  const std::vector<double>& numbers = results.numbers(column);
  std::vector<std::pair<int32_t, double>> all;
  all.reserve(cell.rows.size());
  for (const int32_t row : cell.rows) all.emplace_back(results.image(row), numbers[row]);
  if (!std::ranges::is_sorted(all, {}, [](const auto& each) { return each.first; })) {
    std::ranges::stable_sort(all, {}, [](const auto& each) { return each.first; });
  }
  SampleValues result;
  for (size_t from = 0; from < all.size();) {
    size_t to = from;
    double sum = 0;
    while (to < all.size() && all[to].first == all[from].first) sum += all[to++].second;
    result.images.push_back(all[from].first);
    result.values.push_back(sum / static_cast<double>(to - from));
    from = to;
  }
  return result;
}

Pairs pair_up(const SampleValues& a, const SampleValues& b) {
  Pairs pairs;
  size_t i = 0, j = 0;
  while (i < a.images.size() && j < b.images.size()) {
    if (a.images[i] < b.images[j]) {
      ++i, ++pairs.only_a;
    } else if (b.images[j] < a.images[i]) {
      ++j, ++pairs.only_b;
    } else {
      pairs.images.push_back(a.images[i]);
      pairs.a.push_back(a.values[i++]);
      pairs.b.push_back(b.values[j++]);
    }
  }
  pairs.only_a += static_cast<int64_t>(a.images.size() - i);
  pairs.only_b += static_cast<int64_t>(b.images.size() - j);
  return pairs;
}

Differences differences(std::span<const double> a, std::span<const double> b) {
  Differences result;
  for (size_t k = 0; k < a.size(); ++k) {
    if (std::isnan(a[k]) || std::isnan(b[k])) {
      ++result.missing;
      continue;
    }
    result.above += b[k] > a[k];
    result.below += b[k] < a[k];
    result.equal += b[k] == a[k];
    const double difference = a[k] == b[k] ? 0 : b[k] - a[k];
    if (std::isfinite(difference)) {
      result.finite.push_back(difference);
    } else {
      ++result.infinite;
    }
  }
  return result;
}

}  // namespace roundtrip::analysis
