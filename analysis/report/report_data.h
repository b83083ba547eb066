// What the sections of a report draw from: the cells of one run or several, with their means and intervals.
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

// A measure in a cell, over its images.
struct Estimate {
  double mean = 0, median = 0, deviation = 0;
  Interval interval = {};  // of the mean; unknown of one image
  int64_t images = 0;      // with a finite value
  int64_t missing = 0, infinite = 0;
};

struct ReportCell {
  const Results* run = nullptr;
  const Cell* cell = nullptr;
  std::string label;  // by what varies, the run's name first where there are several
};

class ReportData {
 public:
  explicit ReportData(std::vector<std::shared_ptr<const Results>> runs);

  const std::vector<std::shared_ptr<const Results>>& runs() const { return runs_; }
  const std::vector<ReportCell>& cells() const { return cells_; }
  const std::vector<store::Column>& metrics() const { return metrics_; }  // measured somewhere; codec floors left out
  const std::vector<store::Column>& costs() const { return costs_; }
  bool has(const ReportCell& cell, const std::string& column) const { return cell.run->find(column) != nullptr; }

  // The axes that are not the same in all cells; "run" is the first where there are several.
  const std::vector<std::string>& axes() const { return axes_; }
  store::Value value(const ReportCell& cell, const std::string& axis) const;
  // The tasks that there are; more than one where a run reconstructs and edits, whose numbers do not compare.
  std::vector<std::string> tasks() const;
  std::string task(const ReportCell& cell) const { return value_text(value(cell, columns::kTask)); }

  // Both are remembered. `outline` has no interval: of ten thousand cells most show none.
  const Estimate& outline(const ReportCell& cell, const std::string& column) const;
  const Estimate& estimate(const ReportCell& cell, const std::string& column) const;

 private:
  std::vector<std::shared_ptr<const Results>> runs_;
  std::vector<ReportCell> cells_;
  std::vector<store::Column> metrics_, costs_;
  std::vector<std::string> axes_;
  mutable std::map<std::pair<const Cell*, std::string>, Estimate> outlines_, estimates_;
};

// In the order of store::Column::order: what readers look for comes first.
std::vector<store::Column> by_interest(std::vector<store::Column> columns);

// With the digits that a paper prints: 24.31, 0.0731, 1.3e-05, 150.
std::string number_text(double value, const store::Column& column);
std::string estimate_text(const Estimate& estimate, const store::Column& column);  // "24.31 ± 0.42"

}  // namespace roundtrip::analysis
