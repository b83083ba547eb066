// One number for each image of a cell, and the paired numbers of two cells.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/table/results.h"

namespace roundtrip::analysis {

// Sorted by image. A value is the mean over the image's seeds: NaN if one of them is, e.g. of a failed record.
struct SampleValues {
  std::vector<int32_t> images;
  std::vector<double> values;
};

SampleValues sample_values(const Results& results, const Cell& cell, const std::string& column);

// Pairs two samples by image; `only_a` and `only_b` count the images of one sample only.
struct Pairs {
  std::vector<int32_t> images;
  std::vector<double> a, b;
  int64_t only_a = 0, only_b = 0;
};

Pairs pair_up(const SampleValues& a, const SampleValues& b);

// b - a over the pairs. Pairs that cannot be subtracted are counted separately.
struct Differences {
  std::vector<double> finite;               // equal infinities differ by 0
  int64_t missing = 0;                      // pairs with a NaN
  int64_t infinite = 0;                     // pairs with one infinity
  int64_t above = 0, below = 0, equal = 0;  // b against a, pairs with one infinity included
};

Differences differences(std::span<const double> a, std::span<const double> b);

}  // namespace roundtrip::analysis
