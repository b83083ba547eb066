#include "analysis/gate/baseline.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/compare/matching.h"
#include "analysis/statistics/description.h"
#include "analysis/table/sample_values.h"
#include "store/results_writer.h"

namespace roundtrip::analysis {
namespace {

double mean_in(const Results& results, const Cell& cell, const std::string& metric) {
  return describe(sample_values(results, cell, metric).values).mean;
}

bool differ(double a, double b) { return std::isnan(a) != std::isnan(b) || std::abs(a - b) > 1e-9 * std::abs(a); }

}  // namespace

void write_baseline(const Results& run, const std::filesystem::path& file) {
  const store::ResultsReader& reader = run.reader();
  const store::TableLayout layout{.columns = reader.columns(),
                                  .attributes = {{"title", "roundtrip: a baseline for roundtrip regress"}},
                                  .trial_configs = reader.trial_configs(),
                                  .trial_ids = reader.trial_ids(),
                                  .provenance = reader.provenance(),
                                  .planned_records = reader.planned_records()};
  store::TableBlock block{.plan_rows = reader.plan_rows(), .columns = {}, .steps = {}};
  for (const store::Column& column : reader.columns()) {
    switch (column.type) {
      case store::ColumnType::kFloat64:
        block.columns.emplace_back(reader.numbers(column.name));
        break;
      case store::ColumnType::kInt64:
        block.columns.emplace_back(reader.integers(column.name));
        break;
      case store::ColumnType::kString:
        block.columns.emplace_back(reader.texts(column.name));
        break;
    }
  }
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  store::ResultsWriter writer(file, layout, reader.records(), 0);
  writer.write(block);
  writer.finish();
}

std::string baseline_changes(const Results& before, const Results& now) {
  std::string text;
  for (const CellMatch& match : match_cells(before, now)) {
    if (match.b == nullptr) {
      text += fmt::format("- {}: gone\n", before.label(*match.a));
      continue;
    }
    if (match.a == nullptr) {
      text += fmt::format("+ {}: {} records\n", now.label(*match.b), match.b->rows.size());
      continue;
    }
    const std::string label = now.label(*match.b);
    if (match.a->rows.size() != match.b->rows.size()) {
      text += fmt::format("  {}: {} -> {} records\n", label, match.a->rows.size(), match.b->rows.size());
    }
    for (const store::Column& metric : before.metrics()) {
      if (now.find(metric.name) == nullptr) {
        text += fmt::format("  {}: {} gone\n", label, metric.name);
        continue;
      }
      const double a = mean_in(before, *match.a, metric.name), b = mean_in(now, *match.b, metric.name);
      if (differ(a, b)) text += fmt::format("  {}: {} {:.6g} -> {:.6g}\n", label, metric.name, a, b);
    }
    for (const store::Column& metric : now.metrics()) {
      if (before.find(metric.name) == nullptr) text += fmt::format("  {}: {} new\n", label, metric.name);
    }
  }
  return text;
}

}  // namespace roundtrip::analysis
