// One number for each image of a cell, and two cells' numbers side by side.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/table/results.h"

namespace roundtrip::analysis {

// By image, ascending. A value is the mean over the image's seeds: NaN where one of them is, as of a failed record.
struct SampleValues {
  std::vector<int32_t> images;
  std::vector<double> values;
};

SampleValues sample_values(const Results& results, const Cell& cell, const std::string& column);

// Two samples by the images that both have; `only_a` and `only_b` count the others.
struct Pairs {
  std::vector<int32_t> images;
  std::vector<double> a, b;
  int64_t only_a = 0, only_b = 0;
};

Pairs pair_up(const SampleValues& a, const SampleValues& b);

// b - a over the pairs, with what cannot be subtracted counted apart.
struct Differences {
  std::vector<double> finite;               // equal infinities differ by 0
  int64_t missing = 0;                      // pairs with a NaN
  int64_t infinite = 0;                     // pairs with one infinity
  int64_t above = 0, below = 0, equal = 0;  // b against a, pairs with one infinity included
};

Differences differences(std::span<const double> a, std::span<const double> b);

}  // namespace roundtrip::analysis
