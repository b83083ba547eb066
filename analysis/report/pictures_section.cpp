// Strips of pictures, of reconstructions and of edits: the best, the median and the worst image of the best setting,
// and one image across all settings.
// Differences are amplified five times.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/figure/markup.h"
#include "analysis/report/saved_pictures.h"
#include "analysis/report/sections.h"
#include "base/error.h"

namespace roundtrip::analysis {
namespace {

constexpr int kGain = 5;
constexpr size_t kMostInStrip = 16;

struct Kept {  // a record with a saved picture
  const ReportCell* cell;
  int32_t row;
  double score;
};

std::vector<Kept> kept_of(const ReportCell& cell, const store::Column& metric) {
  std::vector<Kept> kept;
  if (!cell.run->reader().has_array("images")) return kept;
  const std::vector<double>& scores = cell.run->numbers(metric.name);
  for (const int32_t row : cell.cell->rows) {
    if (cell.run->failed(row) || std::isnan(scores[row])) continue;
    if (cell.run->reader().has_array(path_of("images", row))) kept.push_back({&cell, row, scores[row]});
  }
  return kept;
}

std::string strip(const Kept& kept, bool edited, const std::string& title, const store::Column& metric) {
  const Results& run = *kept.cell->run;
  const std::string sample = run.images()->text(run.image(kept.row));
  const std::optional<Picture> source = picture_of(run, "sources", kept.row),
                               target = picture_of(run, "targets", kept.row);
  const std::optional<Picture> kept_picture = picture_of(run, "images", kept.row);
  if (!kept_picture) return "";
  const Picture& back = *kept_picture;
  std::string text = fmt::format(
      "<div class=\"strip\"><h3>{}: {} <span class=\"note\">{}, {} {}</span></h3>\n<div class=\"pictures\">\n", title,
      escaped(sample), escaped(kept.cell->label), escaped(measure_name(metric)), number_text(kept.score, metric));
  if (source) text += picture_html(*source, "source", "source image " + sample);
  text += picture_html(back, edited ? "edit" : "reconstruction",
                       fmt::format("{} of {} by {}", edited ? "edit" : "reconstruction", sample, kept.cell->label));
  if (target) text += picture_html(*target, "target", "target of the edit of " + sample);
  // An edit without a saved answer shows what it changed.
  if (const std::optional<Picture>& other = target ? target : source) {
    const Picture apart = difference(*other, back, kGain);
    const char* from = target ? "target" : "source";
    if (!apart.rgb.empty()) {
      text += picture_html(apart, fmt::format("{} \u00d7{}", edited && !target ? "change" : "difference", kGain),
                           fmt::format("difference from the {} of {}, {} times as strong", from, sample, kGain));
    }
  }
  for (const BoundingMap& map : bounding_maps(run, kept.row)) {
    text += picture_html(map.picture, map.caption, map.caption + ", edit of " + sample);
  }
  return text + "</div></div>\n";
}

// Shows one image under every setting that saved its picture.
std::string across(const ReportData& data, const Kept& about, const store::Column& metric) {
  const Results& run = *about.cell->run;
  const int32_t image = run.image(about.row);
  std::string pictures;
  size_t shown = 0;
  if (const auto source = picture_of(run, "sources", about.row)) {
    pictures += picture_html(*source, "source", "source image " + run.images()->text(image));
  }
  if (const auto target = picture_of(run, "targets", about.row)) {
    pictures += picture_html(*target, "target", "target of the edit of " + run.images()->text(image));
  }
  for (const ReportCell& cell : data.cells()) {
    if (shown == kMostInStrip) break;
    for (const int32_t row : cell.cell->rows) {
      if (cell.run->image(row) != image || cell.run->failed(row)) continue;
      if (const auto picture = picture_of(*cell.run, "images", row)) {
        const double score =
            cell.run->find(metric.name) == nullptr ? std::nan("") : cell.run->numbers(metric.name)[row];
        pictures += picture_html(*picture, escaped(cell.label) + "<br>" + number_text(score, metric),
                                 run.images()->text(image) + " by " + cell.label);
        ++shown;
      }
      break;
    }
  }
  if (shown < 2) return "";
  return fmt::format(
      "<div class=\"strip\"><h3>{} across settings <span class=\"note\">with its {}</span></h3>\n"
      "<div class=\"pictures\">\n{}</div></div>\n",
      escaped(run.images()->text(image)), escaped(measure_label(metric)), pictures);
}

// Returns the pictures of the task's best setting, by mean, among those with saved pictures; the best picture first.
std::vector<Kept> best_kept(const ReportData& data, const std::string& task, const store::Column& metric) {
  const double sign = metric.direction == "higher" ? 1 : -1;
  std::vector<const ReportCell*> order;
  for (const ReportCell& cell : data.cells()) {
    if (data.task(cell) != task || !data.has(cell, metric.name)) continue;
    if (!std::isnan(data.outline(cell, metric.name).mean)) order.push_back(&cell);
  }
  std::ranges::stable_sort(order, std::greater{},
                           [&](const ReportCell* cell) { return sign * data.outline(*cell, metric.name).mean; });
  constexpr size_t kMostCellsSearched = 64;
  order.resize(std::min(order.size(), kMostCellsSearched));
  std::vector<Kept> kept;
  for (const ReportCell* cell : order) {
    kept = kept_of(*cell, metric);
    if (!kept.empty()) break;
  }
  std::ranges::stable_sort(kept, std::greater{}, [&](const Kept& each) { return sign * each.score; });
  return kept;
}

// Returns whether a picture is of `sample`, or of one of its edits.
bool is_of(const Kept& kept, const std::string& sample) {
  const std::string& name = kept.cell->run->images()->text(kept.cell->run->image(kept.row));
  return name == sample || name.starts_with(sample + " -> ");
}

}  // namespace

std::string pictures_section(const ReportData& data, const std::optional<std::string>& chosen) {
  std::string text;
  bool found_chosen = false;
  for (const std::string& task : data.tasks()) {
    const store::Column* metric = leading_metric(data, task);
    if (metric == nullptr) continue;
    const std::vector<Kept> kept = best_kept(data, task, *metric);
    if (kept.empty()) continue;
    const bool edited = task == "edit";
    const std::string noun = data.tasks().size() < 2 ? "" : edited ? " edit" : " reconstruction";
    text += strip(kept.front(), edited, "Best" + noun, *metric);
    if (kept.size() > 2) text += strip(kept[kept.size() / 2], edited, "Median" + noun, *metric);
    if (kept.size() > 1) text += strip(kept.back(), edited, "Worst" + noun, *metric);
    const auto wanted =
        chosen ? std::ranges::find_if(kept, [&](const Kept& each) { return is_of(each, *chosen); }) : kept.end();
    found_chosen = found_chosen || wanted != kept.end();
    text += across(data, wanted == kept.end() ? kept[kept.size() / 2] : *wanted, *metric);
  }
  if (chosen && !text.empty() && !found_chosen) {
    throw Error(ErrorKind::kUsage, fmt::format("--sample {}: no picture of it was kept", *chosen));
  }
  if (text.empty() && leading_metric(data) != nullptr) {
    text = "<p>No pictures were kept; <code>save.images=all</code> keeps them.</p>\n";
  }
  return section_html("pictures", "Pictures", text);
}

}  // namespace roundtrip::analysis
