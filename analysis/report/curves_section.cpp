// Charts of a measure over each numeric axis of the sweep, with confidence bands: one line for each method, one chart
// for each setting of the other axes.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analysis/figure/chart.h"
#include "analysis/report/sections.h"
#include "base/text.h"
#include "columns/columns.h"
#include "columns/scores.h"

namespace roundtrip::analysis {
namespace {

constexpr size_t kMostMeasures = 4, kMostSeries = 8, kMostCharts = 24, kMostFacets = 4;

struct SweptAxis {
  std::string name;
  std::vector<double> values;  // ascending
};

// Numeric axes with at least two values.
std::vector<SweptAxis> swept_axes(const ReportData& data) {
  std::vector<SweptAxis> swept;
  for (const std::string& axis : data.axes()) {
    std::set<double> values;
    bool text = false;
    for (const ReportCell& cell : data.cells()) {
      const store::Value value = data.value(cell, axis);
      const double number = value_number(value);
      if (!std::isnan(number)) values.insert(number);
      text = text || (std::isnan(number) && value_text(value) != "-");
    }
    if (!text && values.size() > 1) swept.push_back({axis, {values.begin(), values.end()}});
  }
  return swept;
}

bool spans_much(const std::vector<double>& values) { return values.front() > 0 && values.back() >= 4 * values.front(); }

std::string axis_title(const std::string& axis) {
  if (axis == columns::kSteps.name) return "steps S";
  if (axis == columns::kGuidanceScale.name) return "guidance scale w";
  return columns::axis_label(axis);
}

// Label of a series or a facet: the values of all varying axes except some.
std::string text_of(const ReportData& data, const ReportCell& cell, const std::vector<std::string>& axes) {
  std::vector<std::string> parts;
  for (const std::string& axis : axes) {
    const std::string text = value_text(data.value(cell, axis));
    if (axis == columns::kMethod.name || axis == "run" || axis == columns::kTask.name) {
      parts.push_back(text);
    } else if (text != "-") {
      parts.push_back(columns::axis_label(axis) + " " + text);
    }
  }
  return join(parts, ", ");
}

// Divides the other axes into those of series and those of charts: a chart gets as many series as fit.
struct Split {
  std::vector<std::string> series, facets;
};

Split split_axes(const ReportData& data, const std::string& along) {
  Split split;
  for (const std::string& axis : data.axes()) {
    if (axis == along) continue;
    split.series.push_back(axis);
    std::set<std::string> names;
    for (const ReportCell& cell : data.cells()) names.insert(text_of(data, cell, split.series));
    if (names.size() <= kMostSeries || split.series.size() == 1) continue;
    split.series.pop_back();
    split.facets.push_back(axis);
  }
  return split;
}

ChartPoint point_of(const ReportData& data, const ReportCell& cell, double x, const store::Column& column) {
  const Estimate& estimate = data.estimate(cell, column.name);
  return {.x = x,
          .y = estimate.mean,
          .low = estimate.interval.low,
          .high = estimate.interval.high,
          .tip = cell.label + ": " + estimate_text(estimate, column)};
}

std::string described(const Chart& chart, const store::Column& column) {
  std::vector<std::string> parts;
  for (const ChartSeries& series : chart.series) {
    const ChartPoint &first = series.points.front(), &last = series.points.back();
    parts.push_back(fmt::format("{}from {} at {:g} to {} at {:g}", series.name.empty() ? "" : series.name + " ",
                                number_text(first.y, column), first.x, number_text(last.y, column), last.x));
  }
  return fmt::format("{} over {}: {}.", measure_label(column), chart.x.label, join(parts, "; "));
}

class CurveMaker {
 public:
  explicit CurveMaker(const ReportData& data) : data_(data) {}

  std::string html() {
    std::string text;
    std::vector<store::Column> columns = by_interest(data_.metrics());
    std::erase_if(columns, [](const store::Column& column) { return column.compares == columns::kLatents; });
    columns.resize(std::min(columns.size(), kMostMeasures));
    for (const SweptAxis& axis : swept_axes(data_)) {
      for (const store::Column& column : columns) text += charts_along(axis, column);
    }
    return text;
  }

 private:
  std::string charts_along(const SweptAxis& axis, const store::Column& column) {
    const Split split = split_axes(data_, axis.name);
    std::vector<std::pair<std::string, std::vector<const ReportCell*>>> facets;
    for (const ReportCell& cell : data_.cells()) {
      if (!data_.has(cell, column.name) || std::isnan(value_number(data_.value(cell, axis.name)))) continue;
      // An edit is compared with its exact answer; its distance from the source is not an error.
      if (data_.task(cell) == "edit" && data_.has(cell, columns::score_name(columns::View::kEdit, column.name)))
        continue;
      const std::string name = text_of(data_, cell, split.facets);
      auto facet = std::ranges::find(facets, name, &decltype(facets)::value_type::first);
      if (facet == facets.end()) {
        if (facets.size() == kMostFacets) continue;
        facet = facets.insert(facets.end(), {name, {}});
      }
      facet->second.push_back(&cell);
    }
    std::string text;
    for (const auto& [name, cells] : facets) text += chart(axis, column, split.series, name, cells);
    return text;
  }

  std::string chart(const SweptAxis& axis, const store::Column& column, const std::vector<std::string>& series_axes,
                    const std::string& facet, const std::vector<const ReportCell*>& cells) {
    Chart chart{.title = measure_name(column) + " over " + axis_title(axis.name) + (facet.empty() ? "" : ", " + facet),
                .description = {},
                .x = {.label = axis_title(axis.name), .logarithmic = spans_much(axis.values), .ticks = axis.values},
                .y = {.label = measure_label(column), .logarithmic = column.log_axis}};
    double floor = 0;
    for (const ReportCell* cell : cells) {
      const std::string name = text_of(data_, *cell, series_axes);
      auto series = std::ranges::find(chart.series, name, &ChartSeries::name);
      if (series == chart.series.end()) {
        if (chart.series.size() == kMostSeries) continue;
        series =
            chart.series.insert(chart.series.end(), {.name = name, .style = static_cast<int>(chart.series.size())});
      }
      const ChartPoint point = point_of(data_, *cell, value_number(data_.value(*cell, axis.name)), column);
      if (!std::isnan(point.y)) series->points.push_back(point);
      const std::string of_codec = columns::score_name(columns::View::kCodec, column.name);
      if (data_.has(*cell, of_codec)) floor = data_.estimate(*cell, of_codec).mean;
    }
    std::erase_if(chart.series, [](const ChartSeries& series) { return series.points.empty(); });
    const bool curves = std::ranges::any_of(chart.series, [](const auto& series) { return series.points.size() > 1; });
    if (!curves || drawn_ == kMostCharts) return "";
    for (ChartSeries& series : chart.series) std::ranges::sort(series.points, {}, &ChartPoint::x);
    if (floor != 0) chart.references.push_back({"codec alone", floor});
    chart.description = described(chart, column);
    return figure_html(chart, fmt::format("curve-{}", ++drawn_));
  }

  const ReportData& data_;
  size_t drawn_ = 0;
};

}  // namespace

std::string curves_section(const ReportData& data) {
  const std::string charts = CurveMaker(data).html();
  if (charts.empty()) return "";
  return section_html("curves", "What the sweep shows",
                      "<p>Means over images; bands are 95&nbsp;% bootstrap intervals.</p>\n<div class=\"figures\">\n" +
                          charts + "</div>\n");
}

}  // namespace roundtrip::analysis
