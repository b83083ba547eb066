#include "analysis/report/report.h"

#include <map>

#include <fmt/format.h>

#include "analysis/assets.h"
#include "analysis/figure/markup.h"
#include "analysis/report/sections.h"
#include "base/error.h"
#include "base/text.h"

namespace roundtrip::analysis {
namespace {

// Replaces {{name}} in a template. Replaced values are not expanded again.
std::string filled(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string result;
  while (true) {
    const size_t open = text.find("{{");
    result += text.substr(0, open);
    if (open == std::string_view::npos) return result;
    const size_t close = text.find("}}", open);
    check(close != std::string_view::npos, "a template closes what it opens");
    result += values.at(std::string(text.substr(open + 2, close - open - 2)));
    text.remove_prefix(close + 2);
  }
}

struct Section {
  std::string id, name, html;
};

std::string navigation(const std::vector<Section>& sections) {
  std::string text;
  for (const Section& section : sections) {
    if (!section.html.empty()) text += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.id, section.name);
  }
  return text;
}

std::string title_of(const std::vector<std::shared_ptr<const Results>>& runs) {
  std::vector<std::string> names;
  for (const auto& run : runs) names.push_back(run->name());
  return join(names, " and ");
}

std::string when(const Results& run) {
  const auto provenance = run.reader().provenance();
  const auto finished = provenance.find("finished_utc");
  return finished == provenance.end() ? "" : finished->second;
}

}  // namespace

std::string report_html(const std::vector<std::shared_ptr<const Results>>& runs, const ReportOptions& options) {
  const ReportData data(runs);
  const std::vector<Section> sections = {
      {"summary", "Summary", summary_section(data, options.claims)},
      {"claims", "Claims", claims_section(options.claims)},
      {"settings", "Settings", cells_section(data)},
      {"curves", "Curves", curves_section(data)},
      {"steps", "Steps", steps_section(data)},
      {"tradeoffs", "Trade-offs", tradeoffs_section(data)},
      {"pictures", "Pictures", pictures_section(data, options.sample)},
      {"baseline", "Baseline", options.baseline ? baseline_section(data, *options.baseline) : ""},
      {"timing", "Timing", timing_section(data)},
      {"failures", "Failures", failures_section(data)},
      {"provenance", "Provenance", provenance_section(data)},
  };
  std::string main;
  for (const Section& section : sections) main += section.html;
  const std::string title = options.title.empty() ? title_of(runs) : options.title;
  return filled(asset("report.html"), {{"title", escaped(title)},
                                       {"subtitle", escaped(when(*runs.front()))},
                                       {"style", std::string(asset("report.css"))},
                                       {"script", std::string(asset("report.js"))},
                                       {"markers", std::string(asset("markers.svg"))},
                                       {"navigation", navigation(sections)},
                                       {"main", main}});
}

}  // namespace roundtrip::analysis
