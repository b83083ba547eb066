// Table of settings: the varying axes, then every measure with its interval; best in bold, second underlined.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/figure/markup.h"
#include "analysis/report/html_table.h"
#include "analysis/report/sections.h"
#include "columns/columns.h"

namespace roundtrip::analysis {
namespace {

constexpr size_t kMostRows = 200;

// Ranks the means of a task: 0 best, 1 second, -1 any other. Equal means share a rank. Other tasks keep -1.
void rank(const ReportData& data, const std::vector<ReportCell>& cells, const std::string& task,
          const store::Column& column, std::vector<int>& ranks) {
  const double sign = column.direction == "higher" ? -1 : 1;
  std::vector<double> losses;
  for (const ReportCell& cell : cells) {
    const bool counts = data.task(cell) == task && data.has(cell, column.name);
    losses.push_back(counts ? sign * data.estimate(cell, column.name).mean : std::nan(""));
  }
  std::vector<double> sorted;
  std::ranges::copy_if(losses, std::back_inserter(sorted), [](double loss) { return std::isfinite(loss); });
  std::ranges::sort(sorted);
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  if (sorted.size() < 2) return;
  for (size_t k = 0; k < losses.size(); ++k) {
    if (losses[k] == sorted[0] || losses[k] == sorted[1]) ranks[k] = losses[k] == sorted[0] ? 0 : 1;
  }
}

HtmlCell measure_cell(const ReportData& data, const ReportCell& cell, const store::Column& column, int rank) {
  if (!data.has(cell, column.name)) return {.html = "\u2013", .number = true};
  const Estimate& estimate = data.estimate(cell, column.name);
  std::string html = "<span class=\"mean\">" + number_text(estimate.mean, column) + "</span>";
  if (estimate.interval.known() && estimate.interval.half_width() > 0) {
    html += fmt::format(" <span class=\"interval\">\u00b1\u2009{}</span>",
                        number_text(estimate.interval.half_width(), column));
  }
  if (estimate.infinite > 0) html += fmt::format(" <span class=\"note\">+{} exact</span>", estimate.infinite);
  return {.html = html,
          .sort = std::isnan(estimate.mean) ? "nan" : fmt::format("{:.9g}", estimate.mean),
          .number = true,
          .css = rank == 0   ? "best"
                 : rank == 1 ? "second"
                             : ""};
}

std::string arrow(const store::Column& column) {
  return column.direction == "higher" ? "<abbr title=\"higher is better\">\u2191</abbr>"
                                      : "<abbr title=\"lower is better\">\u2193</abbr>";
}

}  // namespace

std::string cells_section(const ReportData& data) {
  if (data.cells().empty()) return "";
  const std::vector<ReportCell> cells(data.cells().begin(),
                                      data.cells().begin() + std::min(kMostRows, data.cells().size()));
  std::vector<std::string> axes = data.axes();
  if (axes.empty()) axes.push_back(columns::kMethod);
  std::vector<store::Column> columns = by_interest(data.metrics());
  for (const store::Column& cost : data.costs()) {
    if (cost.name != columns::kGradNfe.name) columns.push_back(cost);
  }

  std::vector<HtmlCell> heads;
  for (const std::string& axis : axes) heads.push_back({.html = escaped(columns::axis_label(axis))});
  heads.push_back({.html = "images", .number = true});
  for (const store::Column& column : columns) {
    heads.push_back({.html = escaped(measure_label(column)) + "&nbsp;" + arrow(column), .number = true});
  }
  HtmlTable table("Every setting with the means of its measures", heads);
  std::vector<std::vector<int>> rank_of;
  for (const store::Column& column : columns) {
    std::vector<int>& ranks = rank_of.emplace_back(cells.size(), -1);
    for (const std::string& task : data.tasks()) rank(data, cells, task, column, ranks);
  }
  for (size_t k = 0; k < cells.size(); ++k) {
    std::vector<HtmlCell> row;
    for (const std::string& axis : axes) {
      const store::Value value = data.value(cells[k], axis);
      const double number = value_number(value);
      row.push_back({.html = escaped(value_text(value)),
                     .sort = std::isnan(number) ? "" : fmt::format("{:.9g}", number),
                     .number = !std::isnan(number)});
    }
    const store::Column* leading = leading_metric(data);
    const Cell& cell = *cells[k].cell;
    const int64_t images = leading == nullptr ? 0 : data.estimate(cells[k], leading->name).images;
    row.push_back({.html = fmt::format(
                       "{}{}", images,
                       cell.failed > 0 ? fmt::format(" <span class=\"note bad\">{} failed</span>", cell.failed) : ""),
                   .sort = fmt::format("{}", images),
                   .number = true});
    for (size_t c = 0; c < columns.size(); ++c) row.push_back(measure_cell(data, cells[k], columns[c], rank_of[c][k]));
    table.add(std::move(row));
  }
  std::string text =
      "<p>Means over images with the half-width of their 95&nbsp;% bootstrap interval. Best" +
      std::string(data.tasks().size() > 1 ? " of each task" : "") +
      " in bold, second best underlined.<span class=\"with-script\"> A click on a heading sorts by it.</span></p>\n";
  if (cells.size() < data.cells().size()) {
    text += fmt::format("<p>The first {} of {} settings; <code>roundtrip export --csv</code> writes all.</p>\n",
                        cells.size(), data.cells().size());
  }
  return section_html("settings", "Settings", text + table.html(true));
}

}  // namespace roundtrip::analysis
