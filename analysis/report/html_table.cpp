#include "analysis/report/html_table.h"

#include <fmt/format.h>

#include "analysis/figure/markup.h"

namespace roundtrip::analysis {
namespace {

std::string cell_html(const char* element, const HtmlCell& cell, const std::string& attributes) {
  std::string css = cell.number ? "number" : "";
  if (!cell.css.empty()) css += (css.empty() ? "" : " ") + cell.css;
  std::string text = fmt::format("<{}{}", element, attributes);
  if (!css.empty()) text += fmt::format(" class=\"{}\"", css);
  if (!cell.sort.empty()) text += fmt::format(" data-sort=\"{}\"", escaped(cell.sort));
  return text + fmt::format(">{}</{}>", cell.html, element);
}

}  // namespace

std::string HtmlTable::html(bool sortable) const {
  std::string text = fmt::format(
      "<div class=\"scroll\" role=\"region\" aria-label=\"{}\" tabindex=\"0\">\n<table{}>\n"
      "<caption>{}</caption>\n<thead><tr>",
      escaped(caption_), sortable ? " class=\"sortable\"" : "", escaped(caption_));
  for (const HtmlCell& head : heads_) text += cell_html("th", head, " scope=\"col\"");
  text += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows_) {
    text += "<tr>";
    for (size_t k = 0; k < row.size(); ++k)
      text += cell_html(k == 0 ? "th" : "td", row[k], k == 0 ? " scope=\"row\"" : "");
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table>\n</div>\n";
}

}  // namespace roundtrip::analysis
