// Data of a report's sections: the cells of one or more runs, with their means and intervals.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/statistics/interval.h"
#include "analysis/table/measures.h"
#include "analysis/table/results.h"
#include "columns/columns.h"

namespace roundtrip::analysis {

// Estimate of a measure in a cell, over its images.
struct Estimate {
  double mean = 0, median = 0, deviation = 0;
  Interval interval = {};  // of the mean; unknown for one image
  int64_t images = 0;      // with a finite value
  int64_t missing = 0, infinite = 0;
};

struct ReportCell {
  const Results* run = nullptr;
  const Cell* cell = nullptr;
  std::string label;  // values of the varying axes, after the run's name if there are several runs
};

class ReportData {
 public:
  explicit ReportData(std::vector<std::shared_ptr<const Results>> runs);

  const std::vector<std::shared_ptr<const Results>>& runs() const { return runs_; }
  const std::vector<ReportCell>& cells() const { return cells_; }
  const std::vector<store::Column>& metrics() const { return metrics_; }  // measured in any cell, without codec floors
  const std::vector<store::Column>& costs() const { return costs_; }
  bool has(const ReportCell& cell, const std::string& column) const { return cell.run->find(column) != nullptr; }

  // Axes that differ between cells. With several runs, "run" is the first.
  const std::vector<std::string>& axes() const { return axes_; }
  store::Value value(const ReportCell& cell, const std::string& axis) const;
  // Tasks of the runs. A run that reconstructs and edits has two, whose numbers do not compare.
  std::vector<std::string> tasks() const;
  std::string task(const ReportCell& cell) const { return value_text(value(cell, columns::kTask)); }

  // Both cache their results. `outline` computes no interval: most of ten thousand cells show none.
  const Estimate& outline(const ReportCell& cell, const std::string& column) const;
  const Estimate& estimate(const ReportCell& cell, const std::string& column) const;

 private:
  std::vector<std::shared_ptr<const Results>> runs_;
  std::vector<ReportCell> cells_;
  std::vector<store::Column> metrics_, costs_;
  std::vector<std::string> axes_;
  mutable std::map<std::pair<const Cell*, std::string>, Estimate> outlines_, estimates_;
};

// Sorts by store::Column::order, in which readers look for measures.
std::vector<store::Column> by_interest(std::vector<store::Column> columns);

// Formats with the digits that a paper prints: 24.31, 0.0731, 1.3e-05, 150.
std::string number_text(double value, const store::Column& column);
std::string estimate_text(const Estimate& estimate, const store::Column& column);  // "24.31 ± 0.42"

}  // namespace roundtrip::analysis
