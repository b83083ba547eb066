// Summary in words: the size of the run, the best settings, their cost, the failures.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "analysis/figure/markup.h"
#include "analysis/report/sections.h"
#include "base/text.h"
#include "columns/columns.h"
#include "columns/scores.h"

namespace roundtrip::analysis {
namespace {

// Swept axes with their numbers of values.
std::string swept_text(const ReportData& data) {
  std::vector<std::string> parts;
  for (const std::string& axis : data.axes()) {
    std::set<store::Value, decltype(&value_less)> values(&value_less);
    for (const ReportCell& cell : data.cells()) values.insert(data.value(cell, axis));
    constexpr size_t kMostListed = 6;
    std::vector<std::string> listed;
    for (const store::Value& value : values) listed.push_back(value_text(value));
    parts.push_back(columns::axis_label(axis) + " (" +
                    (listed.size() <= kMostListed ? join(listed, ", ") : fmt::format("{} values", listed.size())) +
                    ")");
  }
  return join(parts, ", ");
}

const ReportCell* best_cell(const ReportData& data, const std::string& task, const store::Column& metric) {
  const double sign = metric.direction == "higher" ? -1 : 1;
  const ReportCell* best = nullptr;
  for (const ReportCell& cell : data.cells()) {
    if (data.task(cell) != task || !data.has(cell, metric.name)) continue;
    if (std::isnan(data.outline(cell, metric.name).mean)) continue;
    const auto loss = [&](const ReportCell& each) { return sign * data.outline(each, metric.name).mean; };
    if (best == nullptr || loss(cell) < loss(*best)) best = &cell;
  }
  return best;
}

std::string best_text(const ReportData& data, const std::string& task) {
  const store::Column* metric = leading_metric(data, task);
  const ReportCell* best = metric == nullptr ? nullptr : best_cell(data, task, *metric);
  if (best == nullptr) return "";
  const Estimate& estimate = data.estimate(*best, metric->name);
  const std::string of = data.tasks().size() < 2 ? "" : task == "edit" ? "Of edits, the" : "Of reconstructions, the";
  std::string text =
      fmt::format("{} best mean {} is <strong>{}{}{}</strong>", of.empty() ? "The" : of, escaped(measure_name(*metric)),
                  number_text(estimate.mean, *metric), metric->units.empty() ? "" : " ", metric->units);
  if (estimate.interval.known()) {
    text += fmt::format(" (95&nbsp;% interval {} to {})", number_text(estimate.interval.low, *metric),
                        number_text(estimate.interval.high, *metric));
  }
  text += fmt::format(", of <strong>{}</strong>", escaped(best->label));
  if (data.has(*best, columns::kNfe)) {
    const Estimate& nfe = data.estimate(*best, columns::kNfe);
    text += fmt::format(", at {} network evaluations an image", number_text(nfe.mean, *best->run->find(columns::kNfe)));
  }
  const std::string floor = columns::score_name(columns::View::kCodec, metric->name);
  if (data.has(*best, floor) && !std::isnan(data.estimate(*best, floor).mean)) {
    text += fmt::format("; the codec alone, without any diffusion, reaches {}",
                        number_text(data.estimate(*best, floor).mean, *metric));
  }
  return text + ".";
}

// Subjects of the records: samples, and their edits.
std::pair<int64_t, int64_t> images_and_edits(const Names& names) {
  std::set<std::string> samples;
  int64_t edits = 0;
  for (size_t k = 0; k < names.size(); ++k) {
    const std::string& name = names.text(static_cast<int32_t>(k));
    const size_t arrow = name.find(" -> ");
    samples.insert(name.substr(0, arrow));
    edits += arrow != std::string::npos;
  }
  return {static_cast<int64_t>(samples.size()), edits};
}

std::string tile(const std::string& value, const std::string& what, const char* css = "") {
  return fmt::format("<li{}><span class=\"value\">{}</span> {}</li>\n", css, value, what);
}

}  // namespace

std::string summary_section(const ReportData& data, const std::vector<ClaimCheck>& claims) {
  int64_t records = 0, planned = 0, failed = 0;
  for (const auto& run : data.runs()) {
    records += run->records();
    planned += run->reader().planned_records();
    for (const Cell& cell : run->cells()) failed += cell.failed;
  }
  std::string tiles = "<ul class=\"tiles\">\n";
  tiles += tile(fmt::format("{}", data.cells().size()), data.cells().size() == 1 ? "setting" : "settings");
  const auto [images, edits] = images_and_edits(*data.runs().front()->images());
  tiles += tile(fmt::format("{}", images), images == 1 ? "image" : "images");
  if (edits > 0) tiles += tile(fmt::format("{}", edits), edits == 1 ? "edit of them" : "edits of them");
  tiles += tile(fmt::format("{}", records), records == 1 ? "record" : "records");
  tiles += tile(fmt::format("{}", failed), "failed", failed > 0 ? " class=\"bad\"" : "");
  if (!claims.empty()) {
    const auto holds = std::ranges::count(claims, Verdict::kHolds, &ClaimCheck::verdict);
    tiles += tile(fmt::format("{} of {}", holds, claims.size()), "claims hold");
  }
  tiles += "</ul>\n";

  std::string text = tiles;
  if (data.cells().empty()) return section_html("summary", "Summary", text + "<p>The results hold no records.</p>\n");
  if (!data.axes().empty()) text += fmt::format("<p>What varies: {}.</p>\n", escaped(swept_text(data)));
  for (const std::string& task : data.tasks()) {
    if (const std::string best = best_text(data, task); !best.empty()) text += "<p>" + best + "</p>\n";
  }
  if (records < planned) {
    text += fmt::format("<p class=\"warning\">{} of {} planned records are there: the run is not finished.</p>\n",
                        records, planned);
  }
  if (failed > 0)
    text += fmt::format("<p class=\"warning\">{} failed; <a href=\"#failures\">see why</a>.</p>\n",
                        counted(failed, "record"));
  return section_html("summary", "Summary", text);
}

std::string section_html(const std::string& id, const std::string& heading, const std::string& content) {
  if (content.empty()) return "";
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-heading\">\n<h2 id=\"{0}-heading\">{1}</h2>\n{2}</section>\n", id,
      heading, content);
}

std::string counted(int64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

const store::Column* leading_metric(const ReportData& data, const std::string& task) {
  return columns::leading_score(data.metrics(), task == "edit");
}

}  // namespace roundtrip::analysis
