#include "analysis/table/text_table.h"

#include <algorithm>

namespace roundtrip::analysis {

size_t width_of(const std::string& text) {
  return std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; });
}

std::string TextTable::text() const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t k = 0; k < row.size(); ++k) widths[k] = std::max(widths[k], width_of(row[k]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t k = 0; k < row.size(); ++k) {
      const std::string blanks(widths[k] - width_of(row[k]), ' ');
      line += k == 0 ? row[k] + blanks : "  " + blanks + row[k];
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace roundtrip::analysis
