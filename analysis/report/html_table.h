// Table of a report: scrolls sideways on narrow screens, and sorts if the page's script runs.
#pragma once

#include <string>
#include <vector>

namespace roundtrip::analysis {

struct HtmlCell {
  std::string html;       // already escaped
  std::string sort = {};  // sort key; empty: the text
  bool number = false;
  std::string css = {};  // "best", "second"
};

class HtmlTable {
 public:
  HtmlTable(std::string caption, std::vector<HtmlCell> heads)
      : caption_(std::move(caption)), heads_(std::move(heads)) {}
  void add(std::vector<HtmlCell> row) { rows_.push_back(std::move(row)); }
  std::string html(bool sortable) const;

 private:
  std::string caption_;  // for screen readers
  std::vector<HtmlCell> heads_;
  std::vector<std::vector<HtmlCell>> rows_;
};

}  // namespace roundtrip::analysis
