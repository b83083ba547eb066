// Section of the seconds by stage, with the timing mode.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "analysis/figure/markup.h"
#include "analysis/report/html_table.h"
#include "analysis/report/sections.h"
#include "base/text.h"

namespace roundtrip::analysis {
namespace {

constexpr size_t kMostRows = 100;

std::string mode_text(const ReportData& data) {
  std::set<std::string> modes;
  for (const auto& run : data.runs()) {
    if (run->records() > 0 && run->reader().has(columns::kTiming))
      modes.insert(run->reader().texts(columns::kTiming, 0, 1).front());
  }
  if (modes == std::set<std::string>{"isolated"}) {
    return "Timed in isolation: one record at a time after a warm-up, nothing shared, as papers time.";
  }
  if (modes == std::set<std::string>{"amortised"}) {
    return "Timed as amortised shares: a record is charged its part of each batch that it rode in. Compare methods by "
           "network evaluations, or run with engine.timing=isolated.";
  }
  return "";
}

}  // namespace

std::string timing_section(const ReportData& data) {
  const std::vector<std::pair<std::string, std::string>> stages = {{columns::kEncodeSeconds, "encode (ms)"},
                                                                   {columns::kInvertSeconds, "invert (ms)"},
                                                                   {columns::kFitSeconds, "fit (ms)"},
                                                                   {columns::kSampleSeconds, "sample (ms)"},
                                                                   {columns::kDecodeSeconds, "decode (ms)"}};
  if (std::ranges::none_of(data.costs(), [](const auto& cost) { return cost.name == columns::kSeconds.name; }))
    return "";
  std::vector<HtmlCell> heads = {{.html = "setting"}};
  for (const auto& [column, name] : stages) heads.push_back({.html = name, .number = true});
  heads.push_back({.html = "evaluations", .number = true});
  heads.push_back({.html = "ms per evaluation", .number = true});
  heads.push_back({.html = "batch rows", .number = true});
  heads.push_back({.html = "peak memory", .number = true});
  HtmlTable table("Median milliseconds of an image by stage", heads);
  const auto median = [&](const ReportCell& cell, const std::string& column) {
    return data.has(cell, column) ? data.outline(cell, column).median : std::nan("");
  };
  const auto number = [](double value, int digits) -> HtmlCell {
    if (std::isnan(value)) return {.html = "\u2013", .sort = "nan", .number = true};
    return {.html = fmt::format("{:.{}f}", value, digits), .number = true};
  };
  for (size_t k = 0; k < std::min(kMostRows, data.cells().size()); ++k) {
    const ReportCell& cell = data.cells()[k];
    std::vector<HtmlCell> row = {{.html = escaped(cell.label)}};
    for (const auto& [column, name] : stages) row.push_back(number(1000 * median(cell, column), 1));
    const double evaluations =
        median(cell, columns::kNfe) + (data.has(cell, columns::kGradNfe) ? median(cell, columns::kGradNfe) : 0);
    row.push_back(number(evaluations, 0));
    row.push_back(number(1000 * median(cell, columns::kSeconds) / evaluations, 2));
    row.push_back(number(median(cell, columns::kBatchRows), 1));
    const double memory = median(cell, columns::kPeakMemoryBytes);
    row.push_back(std::isnan(memory)
                      ? number(memory, 0)
                      : HtmlCell{.html = bytes_text(memory), .sort = fmt::format("{:.0f}", memory), .number = true});
    table.add(std::move(row));
  }
  return section_html("timing", "Timing", fmt::format("<p>{}</p>\n", mode_text(data)) + table.html(true));
}

}  // namespace roundtrip::analysis
