// Section of the failures with reason and count, and of the values that no mean includes.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analysis/figure/markup.h"
#include "analysis/report/html_table.h"
#include "analysis/report/sections.h"

namespace roundtrip::analysis {
namespace {

constexpr size_t kMostRows = 50;

constexpr int64_t kStretch = 1 << 16;  // rows of text in memory at once

struct Failure {
  int64_t count = 0, row = 0;  // `row` of the first
  const Results* run = nullptr;
};

// Failures by reason, over all runs.
std::map<std::string, Failure> failures_of(const ReportData& data) {
  std::map<std::string, Failure> failures;
  for (const auto& run : data.runs()) {
    if (std::ranges::none_of(run->cells(), [](const Cell& cell) { return cell.failed > 0; })) continue;
    for (int64_t first = 0; first < run->records(); first += kStretch) {
      const int64_t count = std::min(kStretch, run->records() - first);
      const bool told = run->reader().has(columns::kError);
      const std::vector<std::string> errors =
          told ? run->reader().texts(columns::kError, first, count) : std::vector<std::string>(count);
      for (int64_t k = 0; k < count; ++k) {
        if (!run->failed(first + k)) continue;
        Failure& failure = failures[errors[k].empty() ? "no reason was recorded" : errors[k]];
        if (failure.count++ == 0) failure = {1, first + k, run.get()};
      }
    }
  }
  return failures;
}

// Label of a row's setting, as in the rest of the report.
std::string label_of(const ReportData& data, const Results& run, int64_t row) {
  for (const ReportCell& cell : data.cells()) {
    if (cell.run == &run && std::ranges::find(cell.cell->rows, static_cast<int32_t>(row)) != cell.cell->rows.end())
      return cell.label;
  }
  return "";
}

}  // namespace

std::string failures_section(const ReportData& data) {
  const std::map<std::string, Failure> failures = failures_of(data);
  std::string text;
  if (!failures.empty()) {
    std::vector<std::pair<std::string, Failure>> sorted(failures.begin(), failures.end());
    std::ranges::stable_sort(sorted, std::greater{}, [](const auto& each) { return each.second.count; });
    HtmlTable table(
        "Reasons of failed records",
        {{.html = "reason"}, {.html = "records", .number = true}, {.html = "first in"}, {.html = "of image"}});
    for (size_t k = 0; k < std::min(kMostRows, sorted.size()); ++k) {
      const auto& [error, failure] = sorted[k];
      table.add({{.html = escaped(error)},
                 {.html = fmt::format("{}", failure.count), .number = true},
                 {.html = escaped(label_of(data, *failure.run, failure.row))},
                 {.html = escaped(failure.run->images()->text(failure.run->image(failure.row)))}});
    }
    text += table.html(true);
  }
  int64_t missing = 0, infinite = 0;
  if (const store::Column* leading = leading_metric(data)) {
    for (const ReportCell& cell : data.cells()) {
      if (!data.has(cell, leading->name)) continue;
      missing += data.outline(cell, leading->name).missing;
      infinite += data.outline(cell, leading->name).infinite;
    }
    if (missing > 0) {
      text += fmt::format("<p>{} without a {} are counted in no mean.</p>\n", counted(missing, "image"),
                          measure_name(*leading));
    }
    if (infinite > 0) {
      text += fmt::format("<p>{} came back exactly (infinite {}): counted apart, in no mean.</p>\n",
                          counted(infinite, "image"), measure_name(*leading));
    }
  }
  if (text.empty()) text = "<p>None.</p>\n";
  return section_html("failures", "Failures", text);
}

}  // namespace roundtrip::analysis
