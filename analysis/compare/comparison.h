// Two runs, or two parts of one, side by side: paired differences over the images that both have.
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
  Interval interval = {};  // of it
  double p = 0;            // Wilcoxon signed rank, corrected by Holm over the cells
  int64_t images = 0;      // with a finite difference
  int64_t left_out = 0;    // images with a value that is NaN in either, or infinite in one
  int64_t only_a = 0, only_b = 0;
  int64_t better = 0, worse = 0, equal = 0;  // images on which b is, by the metric's direction
};

struct CellComparison {
  std::string label;
  std::vector<MetricComparison> metrics;
};

struct Comparison {
  std::vector<CellComparison> cells;
  std::vector<std::string> only_a, only_b;  // labels of cells
};

// `columns` empty: all metrics and costs that both runs have. Throws kInput as require_equal_versions does.
Comparison compare_runs(const Results& a, const Results& b, const std::vector<std::string>& columns);

// Cells of one run: those that `a` selects against those that `b` selects, matched by the other axes that vary.
Comparison compare_within(const Results& results, const std::vector<std::pair<std::string, std::string>>& a,
                          const std::vector<std::pair<std::string, std::string>>& b,
                          const std::vector<std::string>& columns);

std::string comparison_table(const Comparison& comparison);  // aligned, for people
std::string comparison_json(const Comparison& comparison);

}  // namespace roundtrip::analysis
