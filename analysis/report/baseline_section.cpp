// Section of the differences from a baseline.
#include <algorithm>

#include <fmt/format.h>

#include "analysis/compare/comparison.h"
#include "analysis/figure/markup.h"
#include "analysis/report/html_table.h"
#include "analysis/report/sections.h"

namespace roundtrip::analysis {
namespace {

constexpr size_t kMostRows = 200;

}  // namespace

std::string baseline_section(const ReportData& data, const Results& baseline) {
  const Results& run = *data.runs().front();
  const Comparison comparison = compare_runs(baseline, run, {});
  HtmlTable table("Differences from the baseline", {{.html = "setting"},
                                                    {.html = "measure"},
                                                    {.html = "baseline", .number = true},
                                                    {.html = "this run", .number = true},
                                                    {.html = "difference", .number = true},
                                                    {.html = "95&nbsp;% interval", .number = true},
                                                    {.html = "images better / worse", .number = true}});
  size_t shown = 0, equal = 0;
  for (const CellComparison& cell : comparison.cells) {
    for (const MetricComparison& metric : cell.metrics) {
      if (metric.column.name == columns::kSeconds.name) continue;
      if (metric.better + metric.worse == 0) {
        ++equal;
        continue;
      }
      if (shown++ >= kMostRows) continue;
      table.add(
          {{.html = escaped(cell.label)},
           {.html = escaped(measure_label(metric.column))},
           {.html = number_text(metric.a, metric.column), .number = true},
           {.html = number_text(metric.b, metric.column), .number = true},
           {.html = fmt::format("{:+.3g}", metric.difference), .number = true},
           {.html = metric.interval.known() ? fmt::format("{:.3g} to {:.3g}", metric.interval.low, metric.interval.high)
                                            : "\u2013",
            .number = true},
           {.html = fmt::format("{} / {}", metric.better, metric.worse), .number = true}});
    }
  }
  std::string text = fmt::format("<p>Against <strong>{}</strong>: {} differ, {} are equal on every image.</p>\n",
                                 escaped(baseline.name()), counted(static_cast<int64_t>(shown), "mean"), equal);
  if (!comparison.only_a.empty())
    text += fmt::format("<p>{} only in the baseline.</p>\n",
                        counted(static_cast<int64_t>(comparison.only_a.size()), "setting"));
  if (!comparison.only_b.empty())
    text += fmt::format("<p>{} not in the baseline.</p>\n",
                        counted(static_cast<int64_t>(comparison.only_b.size()), "setting"));
  if (shown > 0) text += table.html(true);
  return section_html("baseline", "Against the baseline", text);
}

}  // namespace roundtrip::analysis
