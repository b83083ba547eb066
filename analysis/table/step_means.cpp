#include "analysis/table/step_means.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace roundtrip::analysis {
namespace {

// Finds the first row of per_step/ whose record is not below `record`; records ascend.
int64_t first_step_of(const store::ResultsReader& reader, int64_t record) {
  int64_t low = 0, high = reader.step_rows();
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (reader.steps(middle, 1).record.front() < record) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

struct Mean {
  double sum = 0;
  int64_t n = 0;
  void add(double value) {
    if (!std::isfinite(value)) return;
    sum += value;
    ++n;
  }
  double value() const { return n > 0 ? sum / static_cast<double>(n) : std::nan(""); }
};

struct Sums {
  Mean pivot_distance, loss, inner_steps;
  int64_t records = 0;
};

}  // namespace

std::vector<StepMean> step_means(const Results& results, const Cell& cell, size_t most_records) {
  const store::ResultsReader& reader = results.reader();
  if (cell.rows.empty() || reader.step_rows() == 0) return {};
  // Take the first stretch of contiguous rows: one seed.
  size_t count = 1;
  while (count < std::min(most_records, cell.rows.size()) && cell.rows[count] == cell.rows[count - 1] + 1) ++count;
  const int64_t from = first_step_of(reader, cell.rows.front()), to = first_step_of(reader, cell.rows[count - 1] + 1);
  const store::StepTable steps = reader.steps(from, to - from);
  std::map<int64_t, Sums> sums;
  for (size_t k = 0; k < steps.size(); ++k) {
    Sums& at = sums[steps.i[k]];
    at.pivot_distance.add(steps.pivot_distance[k]);
    at.loss.add(steps.loss[k]);
    if (steps.inner_steps[k] >= 0) at.inner_steps.add(static_cast<double>(steps.inner_steps[k]));
    ++at.records;
  }
  std::vector<StepMean> means;
  for (const auto& [i, sum] : sums) {
    means.push_back({i, sum.pivot_distance.value(), sum.loss.value(), sum.inner_steps.value(), sum.records});
  }
  return means;
}

}  // namespace roundtrip::analysis
