#include "analysis/report/report_data.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/statistics/description.h"
#include "analysis/table/sample_values.h"
#include "columns/columns.h"
#include "columns/scores.h"

namespace roundtrip::analysis {
namespace {

bool measured(const Results& run, const std::string& column) {
  return std::ranges::any_of(run.numbers(column), [](double value) { return !std::isnan(value); });
}

void add_new(std::vector<store::Column>& columns, const store::Column& column) {
  if (std::ranges::find(columns, column.name, &store::Column::name) == columns.end()) columns.push_back(column);
}

}  // namespace

ReportData::ReportData(std::vector<std::shared_ptr<const Results>> runs) : runs_(std::move(runs)) {
  const bool several = runs_.size() > 1;
  for (const auto& run : runs_) {
    for (const Cell& cell : run->cells()) {
      const std::string label = run->label(cell);
      cells_.push_back({run.get(), &cell, several ? run->name() + ": " + label : label});
    }
    for (const store::Column& metric : run->metrics()) {
      if (!columns::is_view(metric, columns::View::kCodec) && measured(*run, metric.name)) add_new(metrics_, metric);
    }
    for (const store::Column& cost : run->costs()) {
      if (measured(*run, cost.name)) add_new(costs_, cost);
    }
  }
  if (several) axes_.push_back("run");
  for (const auto& run : runs_) {
    for (size_t k = 0; k < run->axes().size(); ++k) {
      const std::string& axis = run->axes()[k];
      if (std::ranges::find(axes_, axis) != axes_.end()) continue;
      const auto differs = [&](const ReportCell& cell) {
        return !same_value(value(cell, axis), value(cells_.front(), axis));
      };
      const bool tells_apart = std::ranges::find(run->varying(), k) != run->varying().end();
      const bool of_runs = axis != columns::kInvertGuidanceScale.name && std::ranges::any_of(cells_, differs);
      if (tells_apart || of_runs) axes_.push_back(axis);
    }
  }
  // Readers look for the method first.
  const auto method = std::ranges::find(axes_, columns::kMethod.name);
  if (method != axes_.end()) std::rotate(axes_.begin() + (several ? 1 : 0), method, method + 1);
}

store::Value ReportData::value(const ReportCell& cell, const std::string& axis) const {
  if (axis == "run") return cell.run->name();
  const auto& axes = cell.run->axes();
  const auto found = std::ranges::find(axes, axis);
  return found == axes.end() ? store::Value() : cell.cell->setting[found - axes.begin()];
}

std::vector<std::string> ReportData::tasks() const {
  std::vector<std::string> tasks;
  for (const ReportCell& cell : cells_) {
    if (std::ranges::find(tasks, task(cell)) == tasks.end()) tasks.push_back(task(cell));
  }
  return tasks;
}

const Estimate& ReportData::outline(const ReportCell& cell, const std::string& column) const {
  const auto [entry, added] = outlines_.try_emplace({cell.cell, column});
  if (!added) return entry->second;
  const Description description = describe(sample_values(*cell.run, *cell.cell, column).values);
  entry->second = {.mean = description.mean,
                   .median = description.median,
                   .deviation = description.deviation,
                   .images = description.n,
                   .missing = description.missing,
                   .infinite = description.infinite};
  return entry->second;
}

const Estimate& ReportData::estimate(const ReportCell& cell, const std::string& column) const {
  const auto [entry, added] = estimates_.try_emplace({cell.cell, column}, outline(cell, column));
  if (added) entry->second.interval = mean_interval(finite_values(sample_values(*cell.run, *cell.cell, column).values));
  return entry->second;
}

std::vector<store::Column> by_interest(std::vector<store::Column> columns) {
  std::ranges::stable_sort(columns, {}, &store::Column::order);
  return columns;
}

std::string number_text(double value, const store::Column& column) {
  if (std::isnan(value)) return "\u2013";
  if (std::isinf(value)) return value > 0 ? "\u221e" : "-\u221e";
  if (column.units == "dB") return fmt::format("{:.2f}", value);
  if (column.digits == 0) return fmt::format("{:.{}f}", value, value == std::floor(value) ? 0 : 1);
  if (column.units == "s" || std::abs(value) >= 1000) return fmt::format("{:.3g}", value);
  if (value != 0 && std::abs(value) < 1e-3) return fmt::format("{:.2e}", value);
  return fmt::format("{:.4f}", value);
}

std::string estimate_text(const Estimate& estimate, const store::Column& column) {
  std::string text = number_text(estimate.mean, column);
  if (estimate.interval.known() && estimate.interval.half_width() > 0) {
    text += " \u00b1 " + number_text(estimate.interval.half_width(), column);
  }
  return text;
}

}  // namespace roundtrip::analysis
