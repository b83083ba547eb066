// Two trade-offs: quality against cost, with the Pareto front, and for edits fidelity against success.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/figure/chart.h"
#include "analysis/report/sections.h"
#include "analysis/statistics/pareto.h"
#include "base/text.h"
#include "columns/columns.h"
#include "columns/scores.h"

namespace roundtrip::analysis {
namespace {

constexpr size_t kMostPoints = 400, kMostMethods = 8;

struct Points {
  std::vector<const ReportCell*> cells;
  std::vector<double> x, y;
};

// Cells of a task, or of all tasks if it is empty.
Points points_of(const ReportData& data, const std::string& task, const store::Column& x, const store::Column& y) {
  Points points;
  const size_t every = data.cells().size() / kMostPoints + 1;
  for (size_t k = 0; k < data.cells().size(); k += every) {
    const ReportCell& cell = data.cells()[k];
    if (!task.empty() && data.task(cell) != task) continue;
    if (!data.has(cell, x.name) || !data.has(cell, y.name)) continue;
    const double at = data.outline(cell, x.name).mean, value = data.outline(cell, y.name).mean;
    if (!std::isfinite(at) || !std::isfinite(value)) continue;
    points.cells.push_back(&cell);
    points.x.push_back(at);
    points.y.push_back(value);
  }
  return points;
}

void add_by_method(const ReportData& data, const Points& points, const store::Column& x, const store::Column& y,
                   Chart& chart) {
  for (size_t k = 0; k < points.cells.size(); ++k) {
    const ReportCell& cell = *points.cells[k];
    const std::string method = value_text(data.value(cell, columns::kMethod));
    auto series = std::ranges::find(chart.series, method, &ChartSeries::name);
    if (series == chart.series.end()) {
      const auto style = static_cast<int>(std::min(chart.series.size(), kMostMethods - 1));
      series = chart.series.insert(chart.series.end(), {.name = method, .style = style, .line = false});
    }
    const Estimate& estimate = data.estimate(cell, y.name);
    series->points.push_back({.x = points.x[k],
                              .y = points.y[k],
                              .low = estimate.interval.low,
                              .high = estimate.interval.high,
                              .tip = fmt::format("{}: {} at {} {}", cell.label, estimate_text(estimate, y),
                                                 number_text(points.x[k], x), measure_name(x))});
  }
}

std::string quality_against(const ReportData& data, const store::Column& cost, const store::Column& quality) {
  // Use reconstructions only: an intended change is not a loss.
  const bool several = data.tasks().size() > 1;
  const Points points = points_of(data, several ? "reconstruct" : "", cost, quality);
  if (points.cells.size() < 2) return "";
  const std::vector<size_t> front = pareto_front(points.x, points.y, quality.direction == "higher");
  const auto [least, most] = std::ranges::minmax(points.x);
  Chart chart{
      .title = measure_name(quality) + (several ? " of reconstructions" : "") + " against " + measure_name(cost),
      .description = {},
      .x = {.label = measure_label(cost) + " per image", .logarithmic = least > 0 && most >= 4 * least},
      .y = {.label = measure_label(quality), .logarithmic = quality.log_axis}};
  add_by_method(data, points, cost, quality, chart);
  std::vector<std::string> names;
  ChartSeries line{.name = "Pareto front", .style = 7, .markers = false};
  for (const size_t k : front) {
    line.points.push_back({.x = points.x[k], .y = points.y[k]});
    names.push_back(points.cells[k]->label);
  }
  chart.series.push_back(std::move(line));
  constexpr size_t kMostNamed = 8;
  const bool many = names.size() > kMostNamed;
  if (many) names.resize(kMostNamed);
  chart.description = fmt::format("{} settings; nothing beats these in both: {}{}.", points.cells.size(),
                                  join(names, "; "), many ? " and others" : "");
  return figure_html(chart, fmt::format("front-{}-{}", quality.name, cost.name));
}

// Returns the first measure, in display order, that `counts` accepts, or nullptr.
template <typename Counts>
const store::Column* first_of(const ReportData& data, Counts counts) {
  const store::Column* first = nullptr;
  for (const store::Column& column : data.metrics()) {
    if (counts(column) && (first == nullptr || column.order < first->order)) first = &column;
  }
  return first;
}

// Chart for edits: preservation of the background against success of the change, both measured by metrics.
std::string fidelity_against_success(const ReportData& data) {
  const store::Column* kept =
      first_of(data, [](const store::Column& column) { return columns::is_view(column, columns::View::kBackground); });
  // The caption describes the intended change best; a distance from the answer must be perceptual.
  const store::Column* changed =
      first_of(data, [](const store::Column& column) { return column.compares == columns::kCaption; });
  for (const bool perceptual : {true, false}) {
    if (changed != nullptr) break;
    changed = first_of(data, [&](const store::Column& column) {
      return columns::is_view(column, columns::View::kEdit) && column.perceptual == perceptual;
    });
  }
  if (kept == nullptr || changed == nullptr) return "";
  const Points points = points_of(data, "edit", *changed, *kept);
  Chart chart{.title = "Of edits, what stays against what changes",
              .description = fmt::format("{} of edits against {}, {} settings.", measure_label(*kept),
                                         measure_label(*changed), points.cells.size()),
              .x = {.label = measure_label(*changed)},
              .y = {.label = measure_label(*kept)}};
  add_by_method(data, points, *changed, *kept, chart);
  return figure_html(chart, "fidelity");
}

}  // namespace

std::string tradeoffs_section(const ReportData& data) {
  std::string charts;
  if (const store::Column* quality = leading_metric(data)) {
    for (const store::Column& cost : data.costs()) {
      if (cost.name != columns::kGradNfe.name) charts += quality_against(data, cost, *quality);
    }
  }
  charts += fidelity_against_success(data);
  if (charts.empty()) return "";
  return section_html("tradeoffs", "Quality against cost",
                      "<p>The Pareto front joins the settings that no other beats in both.</p>\n"
                      "<div class=\"figures\">\n" +
                          charts + "</div>\n");
}

}  // namespace roundtrip::analysis
