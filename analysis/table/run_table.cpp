#include "analysis/table/run_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "analysis/table/measures.h"
#include "analysis/table/setting.h"
#include "analysis/table/text_table.h"
#include "columns/columns.h"
#include "columns/scores.h"

namespace roundtrip::analysis {
namespace {

constexpr int64_t kStretch = 1 << 14;  // records in memory at once

// Column of the table: a sum of the file's columns, averaged over a trial's images.
struct Measure {
  std::string head;
  std::vector<std::string> parts;
  int digits = 4;
  bool always = true;  // shown even if no record has a value
};

struct Mean {
  int64_t count = 0, infinite = 0;
  double sum = 0;

  void add(double value) {
    if (std::isinf(value)) {
      ++infinite;
    } else if (!std::isnan(value)) {
      ++count;
      sum += value;
    }
  }

  bool known() const { return count + infinite > 0; }

  std::string text(int digits) const {
    if (count == 0) return infinite > 0 ? "inf" : "-";
    const std::string mean = fmt::format("{:.{}f}", sum / static_cast<double>(count), digits);
    return infinite > 0 ? fmt::format("{} (+{} inf)", mean, infinite) : mean;
  }
};

struct Line {
  int64_t ok = 0, failed = 0;
  std::vector<Mean> means;  // in the order of the measures
};

std::vector<Measure> measures_of(const store::ResultsReader& results) {
  std::vector<store::Column> scores;
  for (store::Column column : results.columns()) {
    complete_measure(column);
    if (!column.metric.empty()) scores.push_back(std::move(column));
  }
  std::vector<Measure> measures;
  const auto add = [&](const store::Column& column, std::string head, bool always) {
    measures.push_back({std::move(head), {column.name}, column.digits < 0 ? 4 : column.digits, always});
  };
  for (const store::Column& column : scores) {
    if (column.view.empty()) add(column, column.name, true);
  }
  // Scores against the answer for the leading and perceptual metrics, against the background for the leading ones.
  for (const store::Column& column : scores) {
    const bool counts = column.order != store::kLastOrder || column.perceptual;
    if (counts && columns::is_view(column, columns::View::kEdit)) add(column, column.name, false);
  }
  for (const store::Column& column : scores) {
    if (column.order != store::kLastOrder && columns::is_view(column, columns::View::kBackground)) {
      add(column, column.name, false);
    }
  }
  if (const store::Column* leading = columns::leading_score(scores, /*of_edits=*/false)) {
    const std::string floor = columns::score_name(columns::View::kCodec, leading->name);
    const auto found = std::ranges::find(scores, floor, &store::Column::name);
    if (found != scores.end()) add(*found, found->view + " " + found->metric, false);
  }
  measures.push_back({"NFE", columns::nfe_columns(), 0});
  measures.push_back({"network s", columns::seconds_columns(), 3});
  return measures;
}

std::vector<double> read_sum(const store::ResultsReader& results, const std::vector<std::string>& parts, int64_t first,
                             int64_t count) {
  std::vector<double> sum(count, 0.0);
  for (const std::string& part : parts) {
    if (!results.has(part)) return std::vector<double>(count, std::nan(""));
    const std::vector<double> values = results.numbers(part, first, count);
    for (int64_t k = 0; k < count; ++k) sum[k] += values[k];
  }
  return sum;
}

void read_stretch(const store::ResultsReader& results, const std::vector<Measure>& measures, int64_t first,
                  int64_t count, std::vector<Line>& lines, std::vector<RunFailure>& failures) {
  const std::vector<int64_t> trials = results.integers(columns::kTrial, first, count);
  const std::vector<std::string> status = results.texts(columns::kStatus, first, count);
  for (int64_t k = 0; k < count; ++k) {
    Line& line = lines.at(trials[k]);
    if (status[k] != "failed") {
      ++line.ok;
      continue;
    }
    ++line.failed;
    const auto text = [&](const store::TextColumn& column) { return results.texts(column, first + k, 1)[0]; };
    failures.push_back(
        {static_cast<size_t>(trials[k]), text(columns::kSample), text(columns::kEdit), text(columns::kError)});
  }
  for (size_t m = 0; m < measures.size(); ++m) {
    const std::vector<double> values = read_sum(results, measures[m].parts, first, count);
    for (int64_t k = 0; k < count; ++k) {
      if (status[k] != "failed") lines[trials[k]].means[m].add(values[k]);
    }
  }
}

// The method, and the axes on which some trial differs from the first.
std::vector<std::string> shown_axes(const std::vector<std::map<std::string, store::Value>>& settings) {
  std::vector<std::string> shown;
  const auto value = [](const std::map<std::string, store::Value>& setting, const std::string& axis) {
    const auto found = setting.find(axis);
    return found == setting.end() ? store::Value() : found->second;
  };
  const auto consider = [&](const std::string& axis) {
    const bool varies = std::ranges::any_of(
        settings, [&](const auto& setting) { return !same_value(value(setting, axis), value(settings[0], axis)); });
    if (varies || axis == columns::kMethod.name) shown.push_back(axis);
  };
  for (const columns::Axis& axis : columns::axes()) consider(axis.column.name);
  for (const auto& [column, unused] : settings.front()) {
    if (columns::is_parameter(column)) consider(column);
  }
  return shown;
}

std::string text_of(const std::vector<std::map<std::string, store::Value>>& settings,
                    const std::vector<Measure>& measures, const std::vector<Line>& lines) {
  const std::vector<std::string> axes = shown_axes(settings);
  std::vector<size_t> shown;
  for (size_t m = 0; m < measures.size(); ++m) {
    const bool known = std::ranges::any_of(lines, [&](const Line& line) { return line.means[m].known(); });
    if (known || measures[m].always) shown.push_back(m);
  }
  std::vector<std::string> heads;
  for (const std::string& axis : axes) heads.push_back(columns::axis_label(axis));
  heads.emplace_back("images");
  for (const size_t m : shown) heads.push_back(measures[m].head);
  TextTable table(std::move(heads));
  for (size_t t = 0; t < lines.size(); ++t) {
    const Line& line = lines[t];
    std::vector<std::string> row;
    for (const std::string& axis : axes) {
      const auto value = settings[t].find(axis);
      row.push_back(value == settings[t].end() ? "-" : value_text(value->second));
    }
    row.push_back(line.failed > 0 ? fmt::format("{} ({} failed)", line.ok, line.failed) : fmt::format("{}", line.ok));
    for (const size_t m : shown) row.push_back(line.means[m].text(measures[m].digits));
    table.add(std::move(row));
  }
  return table.text();
}

}  // namespace

RunTable read_run_table(const store::ResultsReader& results,
                        const std::vector<std::map<std::string, store::Value>>& settings) {
  const std::vector<Measure> measures = measures_of(results);
  std::vector<Line> lines(settings.size(), Line{.means = std::vector<Mean>(measures.size())});
  RunTable table{.records = results.records(), .failures = {}, .text = {}};
  for (int64_t first = 0; first < table.records; first += kStretch) {
    read_stretch(results, measures, first, std::min(kStretch, table.records - first), lines, table.failures);
  }
  if (!settings.empty()) table.text = text_of(settings, measures, lines);
  return table;
}

}  // namespace roundtrip::analysis
