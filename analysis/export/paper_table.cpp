#include "analysis/export/paper_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "columns/columns.h"

namespace roundtrip::analysis {
namespace {

bool selected(const ReportCell& cell, const Selector& where) {
  return std::ranges::all_of(where, [&](const auto& part) {
    if (part.first == "run") return cell.run->name() == part.second;
    return value_is(cell.cell->setting[cell.run->axis(part.first)], part.second);
  });
}

std::optional<double> published_for(const std::optional<Published>& published, const ReportCell& cell,
                                    const std::string& measure) {
  if (!published) return std::nullopt;
  for (const PublishedValues& values : published->values) {
    const auto value = values.of.find(measure);
    if (value != values.of.end() && selected(cell, values.where)) return value->second;
  }
  return std::nullopt;
}

PaperEntry entry_for(const ReportData& data, const ReportCell& cell, const std::string& measure,
                     const std::optional<Published>& published) {
  PaperEntry entry;
  if (data.has(cell, measure)) entry.ours = data.estimate(cell, measure);
  entry.published = published_for(published, cell, measure);
  return entry;
}

// The entry of a row that the run does not have: what was published for exactly this row.
PaperEntry published_alone(const std::optional<Published>& published, const Selector& row, const std::string& measure) {
  PaperEntry entry;
  if (!published) return entry;
  for (const PublishedValues& values : published->values) {
    const auto value = values.of.find(measure);
    if (values.where == row && value != values.of.end()) entry.published = value->second;
  }
  return entry;
}

void rank(PaperTable& table) {
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const double sign = table.columns[c].measure.direction == "higher" ? -1 : 1;
    const auto loss = [&](const PaperRow& row) {
      return row.entries[c].ours ? sign * row.entries[c].ours->mean : std::nan("");
    };
    std::vector<double> losses;
    for (const PaperRow& row : table.rows) {
      if (std::isfinite(loss(row))) losses.push_back(loss(row));
    }
    std::ranges::sort(losses);
    losses.erase(std::unique(losses.begin(), losses.end()), losses.end());
    for (PaperRow& row : table.rows) {
      const bool ranked = losses.size() > 1;
      row.entries[c].rank = ranked && loss(row) == losses[0] ? 0 : ranked && loss(row) == losses[1] ? 1 : -1;
      table.columns[c].has_published = table.columns[c].has_published || row.entries[c].published.has_value();
    }
  }
}

// Names the axes on which two settings differ, for a message.
std::string differing_axes(const ReportData& data, const ReportCell& a, const ReportCell& b) {
  std::vector<std::string> names;
  for (const std::string& axis : data.axes()) {
    if (!same_value(data.value(a, axis), data.value(b, axis))) names.push_back(axis);
  }
  return join(names, ", ");
}

// Rows of a layout, or one row for each value of its axis among the selected settings, in the order of the plan.
std::vector<LayoutRow> rows_of(const Layout& layout, const ReportData& data, const Selector& where) {
  if (layout.each.empty()) return layout.rows;
  std::vector<LayoutRow> rows;
  for (const ReportCell& cell : data.cells()) {
    if (!selected(cell, layout.where) || !selected(cell, where)) continue;
    const bool by_run = layout.each == "run";
    const store::Value value = by_run ? cell.run->name() : cell.cell->setting[cell.run->axis(layout.each)];
    const double number = value_number(value);
    const std::string written = std::isnan(number) ? value_text(value) : fmt::format("{}", number);
    const LayoutRow row{value_text(value), {{layout.each, written}}};
    if (std::ranges::find(rows, row.where, &LayoutRow::where) == rows.end()) rows.push_back(row);
  }
  return rows;
}

store::Column measure_of(const ReportData& data, const LayoutColumn& wanted) {
  for (const auto& run : data.runs()) {
    if (const store::Column* column = run->find(wanted.of)) return *column;
  }
  return {wanted.of, store::ColumnType::kFloat64, "", "", wanted.better, ""};
}

}  // namespace

PaperTable table_of_settings(const ReportData& data, const Selector& where, const std::optional<Published>& published) {
  PaperTable table{
      .source = {}, .published_source = published ? published->source : "", .heads = {}, .columns = {}, .rows = {}};
  std::vector<std::string> axes = data.axes();
  if (axes.empty()) axes.push_back(columns::kMethod);
  for (const std::string& axis : axes) table.heads.push_back(columns::axis_label(axis));
  std::vector<store::Column> measures = data.metrics();
  measures.insert(measures.end(), data.costs().begin(), data.costs().end());
  for (const store::Column& measure : measures) table.columns.push_back({measure_label(measure), measure});
  for (const ReportCell& cell : data.cells()) {
    if (!selected(cell, where)) continue;
    PaperRow& row = table.rows.emplace_back();
    for (const std::string& axis : axes) row.heads.push_back(value_text(data.value(cell, axis)));
    for (const store::Column& measure : measures) row.entries.push_back(entry_for(data, cell, measure.name, published));
  }
  rank(table);
  return table;
}

PaperTable table_like(const Layout& layout, const ReportData& data, const Selector& where,
                      const std::optional<Published>& published) {
  PaperTable table{.source = layout.source,
                   .published_source = published ? published->source : "",
                   .heads = {""},
                   .columns = {},
                   .rows = {}};
  for (const LayoutColumn& column : layout.columns) {
    table.columns.push_back({column.label, measure_of(data, column), column.times});
  }
  for (const LayoutRow& row : rows_of(layout, data, where)) {
    PaperRow& made = table.rows.emplace_back(PaperRow{.heads = {row.label}, .entries = {}});
    for (const LayoutColumn& column : layout.columns) {
      Selector all = layout.where;
      for (const Selector* part : {&where, &row.where, &column.where})
        all.insert(all.end(), part->begin(), part->end());
      const ReportCell* found = nullptr;
      for (const ReportCell& cell : data.cells()) {
        if (!selected(cell, all)) continue;
        if (found != nullptr) {
          throw input_error(fmt::format("--like {}: row '{}', column '{}'", layout.name, row.label, column.label),
                            "settings that differ in " + differing_axes(data, *found, cell),
                            "one: choose with --where");
        }
        found = &cell;
      }
      made.entries.push_back(found == nullptr ? published_alone(published, row.where, column.of)
                                              : entry_for(data, *found, column.of, published));
    }
  }
  rank(table);
  table.counts = layout.counts;
  return table;
}

std::string images_text(const PaperTable& table, size_t column) {
  int64_t least = std::numeric_limits<int64_t>::max(), most = 0;
  for (const PaperRow& row : table.rows) {
    const PaperEntry& entry = row.entries[column];
    if (!entry.ours) continue;
    least = std::min(least, entry.ours->images);
    most = std::max(most, entry.ours->images);
  }
  if (most == 0) return "";
  return least == most ? fmt::format("{}", most) : fmt::format("{}-{}", least, most);
}

}  // namespace roundtrip::analysis
