#include "analysis/compare/matching.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"

namespace roundtrip::analysis {

std::string setting_key(const Results& results, const Cell& cell) {
  std::vector<std::pair<std::string, std::string>> parts;
  for (size_t k = 0; k < results.axes().size(); ++k) {
    const std::string text = value_text(cell.setting[k]);
    if (text != "-") parts.emplace_back(results.axes()[k], text);
  }
  std::ranges::sort(parts);  // the order of columns differs between runs
  std::string key;
  for (const auto& [axis, value] : parts) key += (key.empty() ? "" : " ") + axis + "=" + value;
  return key;
}

std::vector<CellMatch> match_cells(const Results& a, const Results& b) {
  std::unordered_map<std::string, const Cell*> of_b;
  for (const Cell& cell : b.cells()) of_b.emplace(setting_key(b, cell), &cell);
  std::vector<CellMatch> matches;
  for (const Cell& cell : a.cells()) {
    const auto found = of_b.find(setting_key(a, cell));
    matches.push_back({&cell, found == of_b.end() ? nullptr : found->second});
    if (found != of_b.end()) of_b.erase(found);
  }
  for (const Cell& cell : b.cells()) {
    if (of_b.count(setting_key(b, cell)) > 0) matches.push_back({nullptr, &cell});
  }
  return matches;
}

void require_equal_versions(const Results& a, const Results& b) {
  for (const store::Column& metric : a.metrics()) {
    const auto other = std::ranges::find(b.metrics(), metric.name, &store::Column::name);
    if (other == b.metrics().end() || other->version == metric.version) continue;
    throw input_error(b.reader().path().string(), fmt::format("{} of version '{}'", metric.name, other->version),
                      fmt::format("'{}' as in {}: numbers of two versions do not compare", metric.version,
                                  a.reader().path().string()));
  }
}

}  // namespace roundtrip::analysis
