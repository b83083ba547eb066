// Section of the experiment's claims with their verdicts.
#include <cmath>

#include <fmt/format.h>

#include "analysis/figure/markup.h"
#include "analysis/report/sections.h"

namespace roundtrip::analysis {

std::string claims_section(const std::vector<ClaimCheck>& claims) {
  if (claims.empty()) return "";
  std::string text = "<ul class=\"claims\">\n";
  for (const ClaimCheck& check : claims) {
    const std::string verdict(verdict_text(check.verdict));
    text += fmt::format("<li class=\"{0}\"><span class=\"verdict\">{0}</span> ", verdict);
    if (!check.claim.says.empty()) text += fmt::format("<span class=\"says\">{}</span> ", escaped(check.claim.says));
    text += fmt::format("<code>{}</code>", escaped(check.claim.text));
    if (!check.claim.source.empty()) text += fmt::format(" <cite>{}</cite>", escaped(check.claim.source));
    if (!check.why.empty()) text += fmt::format("<p>{}</p>", escaped(check.why));
    if (!check.relations.empty()) {
      text += fmt::format("<details{}><summary>{}</summary><ul>\n", check.relations.size() <= 2 ? " open" : "",
                          counted(static_cast<int64_t>(check.relations.size()), "comparison"));
      for (const RelationCheck& relation : check.relations) {
        text += fmt::format("<li>{}: {}</li>\n", verdict_text(relation.verdict), escaped(one_line(relation)));
      }
      text += "</ul></details>";
    }
    text += "</li>\n";
  }
  return section_html("claims", "Claims", text + "</ul>\n");
}

}  // namespace roundtrip::analysis
