// Table for a paper: means with their intervals, ranked, with published figures beside them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/export/layout.h"
#include "analysis/report/report_data.h"

namespace roundtrip::analysis {

struct PaperEntry {
  std::optional<Estimate> ours;  // null: the run has no such cell or measure
  std::optional<double> published;
  int rank = -1;  // 0 best of its column, 1 second
};

struct PaperColumn {
  std::string label;
  store::Column measure;
  double times = 1;
  bool has_published = false;
};

struct PaperRow {
  std::vector<std::string> heads;  // the row's label, or the values of the axes that vary
  std::vector<PaperEntry> entries;
};

struct PaperTable {
  std::string source, published_source;  // source of the layout and of the published figures; may be empty
  std::vector<std::string> heads;        // above PaperRow::heads
  std::vector<PaperColumn> columns;
  std::vector<PaperRow> rows;
  bool counts = false;  // a last row has the number of images behind each column
};

// The numbers of images behind a column: "700", or "698-700" where they differ between rows; empty without any.
std::string images_text(const PaperTable& table, size_t column);

// Makes a row with every measure for each setting that `where` selects.
PaperTable table_of_settings(const ReportData& data, const Selector& where, const std::optional<Published>& published);

// Follows a layout. Throws kInput if the selectors of an entry leave more than one setting, naming the varying axes.
PaperTable table_like(const Layout& layout, const ReportData& data, const Selector& where,
                      const std::optional<Published>& published);

std::string paper_csv(const PaperTable& table);       // numbers in full, intervals and counts in separate columns
std::string paper_markdown(const PaperTable& table);  // best bold, second underlined
std::string paper_latex(const PaperTable& table);     // booktabs

}  // namespace roundtrip::analysis
