// Compares two runs, or two parts of one, by paired differences over the images that both have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/statistics/interval.h"
#include "analysis/table/results.h"

namespace roundtrip::analysis {

struct MetricComparison {
  store::Column column;
  double a = 0, b = 0;     // means over the images that both have
  double difference = 0;   // mean of b - a
  Interval interval = {};  // of that mean
  double p = 0;            // Wilcoxon signed-rank test, Holm-corrected over the cells
  int64_t images = 0;      // with a finite difference
  int64_t left_out = 0;    // images with a NaN in either run, or an infinity in one
  int64_t only_a = 0, only_b = 0;
  int64_t better = 0, worse = 0, equal = 0;  // images on which b is so, by the metric's direction
};

struct CellComparison {
  std::string label;
  std::vector<MetricComparison> metrics;
};

struct Comparison {
  std::vector<CellComparison> cells;
  std::vector<std::string> only_a, only_b;  // labels of cells
};

// Empty `columns` select all metrics and costs that both runs have. Throws kInput as require_equal_versions does.
Comparison compare_runs(const Results& a, const Results& b, const std::vector<std::string>& columns);

// Compares the cells of one run that `a` selects with those that `b` selects, matched by the other axes that vary.
Comparison compare_within(const Results& results, const std::vector<std::pair<std::string, std::string>>& a,
                          const std::vector<std::pair<std::string, std::string>>& b,
                          const std::vector<std::string>& columns);

std::string comparison_table(const Comparison& comparison);  // aligned, for people
std::string comparison_json(const Comparison& comparison);

}  // namespace roundtrip::analysis
