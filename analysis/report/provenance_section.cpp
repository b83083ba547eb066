// Section of the provenance: program, machine, inputs, metric definitions, config.
#include <fmt/format.h>

#include "analysis/figure/markup.h"
#include "analysis/report/html_table.h"
#include "analysis/report/sections.h"

namespace roundtrip::analysis {

std::string provenance_section(const ReportData& data) {
  std::string text;
  for (const auto& run : data.runs()) {
    if (data.runs().size() > 1) text += fmt::format("<h3>{}</h3>\n", escaped(run->name()));
    text += "<dl class=\"provenance\">\n";
    for (const auto& [key, value] : run->reader().provenance()) {
      if (value.empty()) continue;
      text += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(key), escaped(value));
    }
    text += "</dl>\n";
    const std::vector<std::string> configs = run->reader().trial_configs();
    if (!configs.empty()) {
      text += fmt::format("<details><summary>Config of the first of {}</summary><pre>{}</pre></details>\n",
                          counted(static_cast<int64_t>(configs.size()), "trial"), escaped(configs.front()));
    }
  }
  HtmlTable table("The measures and their versions",
                  {{.html = "measure"}, {.html = "definition"}, {.html = "version"}});
  for (const store::Column& metric : data.metrics()) {
    table.add({{.html = escaped(measure_label(metric))},
               {.html = escaped(metric.long_name)},
               {.html = escaped(metric.version)}});
  }
  if (!data.metrics().empty()) text += table.html(false);
  return section_html("provenance", "Provenance", text);
}

}  // namespace roundtrip::analysis
