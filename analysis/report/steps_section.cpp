// Section on the origin of the error: the distance of sampling from the inversion's pivots, step by step, and the
// remaining loss of a fit at each step.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "analysis/figure/chart.h"
#include "analysis/report/sections.h"
#include "analysis/table/step_means.h"
#include "base/text.h"

namespace roundtrip::analysis {
namespace {

constexpr size_t kMostSeries = 8, kMostRecords = 200;

// Selects one cell for each method first, then others, in the order of the run.
std::vector<const ReportCell*> cells_to_draw(const ReportData& data) {
  std::vector<const ReportCell*> first, others;
  std::vector<std::string> methods;
  for (const ReportCell& cell : data.cells()) {
    const std::string method = value_text(data.value(cell, columns::kMethod));
    const bool known = std::ranges::find(methods, method) != methods.end();
    if (!known) methods.push_back(method);
    (known ? others : first).push_back(&cell);
  }
  first.insert(first.end(), others.begin(), others.end());
  return first;
}

struct StepQuantity {
  const char *id, *title;
  const char* label;
  double StepMean::* value;
};

}  // namespace

std::string steps_section(const ReportData& data) {
  std::vector<std::pair<const ReportCell*, std::vector<StepMean>>> drawn;
  for (const ReportCell* cell : cells_to_draw(data)) {
    if (drawn.size() == kMostSeries) break;
    std::vector<StepMean> means = step_means(*cell->run, *cell->cell, kMostRecords);
    if (means.size() > 1) drawn.emplace_back(cell, std::move(means));
  }
  const StepQuantity quantities[] = {
      {"distance", "Distance from the pivots on the way back", "RMS distance (latent units)",
       &StepMean::pivot_distance},
      {"loss", "Loss that the fit leaves", "loss of the fit (latent units squared)", &StepMean::loss},
      {"updates", "Updates of the fit", "inner steps", &StepMean::inner_steps}};
  std::string charts;
  for (const StepQuantity& quantity : quantities) {
    Chart chart{.title = quantity.title,
                .description = {},
                .x = {.label = "part of the way back (0 noise, 1 clean)"},
                .y = {.label = quantity.label}};
    std::vector<std::string> parts;
    for (const auto& [cell, means] : drawn) {
      ChartSeries series{
          .name = cell->label, .style = static_cast<int>(chart.series.size()), .markers = means.size() <= 12};
      const auto last = static_cast<double>(means.back().i);
      for (const StepMean& mean : means) {
        const double value = mean.*quantity.value;
        if (!std::isnan(value)) series.points.push_back({.x = 1 - static_cast<double>(mean.i) / last, .y = value});
      }
      std::ranges::sort(series.points, {}, &ChartPoint::x);
      if (series.points.size() < 2) continue;
      parts.push_back(fmt::format("{} ends at {:.3g}", series.name, series.points.back().y));
      chart.series.push_back(std::move(series));
    }
    chart.description = fmt::format("{} along the way back: {}.", quantity.label, join(parts, "; "));
    charts += figure_html(chart, fmt::format("steps-{}", quantity.id));
  }
  if (charts.empty()) return "";
  std::string text = fmt::format("<p>Means over the first images of a setting, at most {}.</p>\n", kMostRecords);
  if (drawn.size() < data.cells().size()) {
    text += fmt::format("<p>{} of {} settings are drawn, one of each method first.</p>\n", drawn.size(),
                        data.cells().size());
  }
  return section_html("steps", "Where the error comes from", text + "<div class=\"figures\">\n" + charts + "</div>\n");
}

}  // namespace roundtrip::analysis
