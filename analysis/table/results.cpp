#include "analysis/table/results.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "analysis/table/measures.h"
#include "analysis/table/record_texts.h"
#include "base/error.h"
#include "base/text.h"
#include "columns/columns.h"

namespace roundtrip::analysis {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::filesystem::path file_of(const std::filesystem::path& run) {
  return std::filesystem::is_directory(run) ? run / "results.h5" : run;
}

std::string name_of(const std::filesystem::path& run) {
  const std::filesystem::path file = std::filesystem::absolute(file_of(run)).lexically_normal();
  return file.filename() == "results.h5" ? file.parent_path().filename().string() : file.stem().string();
}

bool among(const std::vector<store::Column>& columns, const std::string& name) {
  return std::ranges::any_of(columns, [&](const store::Column& column) { return column.name == name; });
}

void check_splits(const std::vector<store::Column>& columns, const std::vector<std::string>& by,
                  const std::filesystem::path& run) {
  std::vector<std::string> texts;
  for (const store::Column& column : columns) {
    const bool is_text = column.type == store::ColumnType::kString && !columns::is_axis(column.name);
    if (is_text) texts.push_back(column.name);
  }
  for (const std::string& column : by) {
    if (std::ranges::find(texts, column) != texts.end()) continue;
    throw input_error(run.string(), fmt::format("no column of text '{}' to split by", column),
                      fmt::format("one of {}.{}", join(texts, ", "), did_you_mean(column, texts)));
  }
}

// Returns whether a column belongs to the setting. Seeds do not: they are replicates.
bool is_axis(const std::string& column) { return columns::is_axis(column) && column != columns::kSeed.name; }

// Columns of the file that a derived cost sums.
const std::map<std::string, std::vector<std::string>>& sums() {
  static const std::map<std::string, std::vector<std::string>> kSums = {
      {columns::kNfe, columns::nfe_columns()}, {columns::kSeconds, columns::seconds_columns()}};
  return kSums;
}

store::Column labelled(store::Column column, const char* label, int digits = -1) {
  column.type = store::ColumnType::kFloat64;  // a mean over seeds
  column.label = label;
  column.digits = digits;
  return column;
}

}  // namespace

Results::Results(const std::filesystem::path& run, std::shared_ptr<Names> images, const std::vector<std::string>& by)
    : name_(name_of(run)), reader_(file_of(run)), images_(std::move(images)) {
  for (const std::string needed :
       {columns::kTrial.name, columns::kSample.name, columns::kStatus.name, columns::kMethod.name}) {
    if (!reader_.has(needed)) {
      throw input_error(reader_.path().string(), fmt::format("no column '{}'", needed),
                        "the results of a roundtrip run");
    }
  }
  columns_ = reader_.columns();
  check_splits(columns_, by, reader_.path());
  for (store::Column& column : columns_) complete_measure(column);
  read_records(by);
  describe_columns();
}

void Results::read_records(const std::vector<std::string>& by) {
  // Rows of a trial are contiguous, so its settings are read once, from the first row.
  const std::vector<int64_t> trial_of = reader_.integers(columns::kTrial);
  std::vector<int64_t> first_rows;
  for (int64_t row = 0; row < records(); ++row) {
    if (row == 0 || trial_of[row] != trial_of[row - 1]) first_rows.push_back(row);
  }
  std::vector<std::string> of_text;  // axes
  for (const store::Column& column : columns_) {
    if (!is_axis(column.name)) continue;
    axes_.push_back(column.name);
    if (column.type == store::ColumnType::kString) of_text.push_back(column.name);
  }
  RecordTexts texts = read_record_texts(reader_, of_text, first_rows, *images_);
  failed_ = std::move(texts.failed);
  image_of_ = std::move(texts.image_of);

  std::vector<Setting> settings(first_rows.size());
  for (const std::string& axis : axes_) {
    const auto text = std::ranges::find(of_text, axis);
    const bool is_text = text != of_text.end();
    const std::vector<double> numbers = is_text ? std::vector<double>() : reader_.numbers(axis);
    for (size_t s = 0; s < settings.size(); ++s) {
      settings[s].push_back(is_text ? store::Value(std::move(texts.of_axes[text - of_text.begin()][s]))
                                    : store::Value(numbers[first_rows[s]]));
    }
  }
  // Files older than an axis match newer ones.
  for (const columns::Axis& axis : columns::axes()) {
    if (axis.before.empty() || reader_.has(axis.column.name)) continue;
    axes_.push_back(axis.column.name);
    for (Setting& setting : settings) setting.emplace_back(axis.before);
  }
  make_cells(settings, trial_of, first_rows, by);
  axes_.insert(axes_.end(), by.begin(), by.end());
  find_varying();
}

void Results::make_cells(const std::vector<Setting>& settings, const std::vector<int64_t>& trial_of,
                         const std::vector<int64_t>& first_rows, const std::vector<std::string>& by) {
  std::vector<std::vector<std::string>> splits;
  for (const std::string& column : by) splits.push_back(reader_.texts(column));
  const auto less = [](const Setting& a, const Setting& b) {
    return std::ranges::lexicographical_compare(a, b, value_less);
  };
  std::map<Setting, size_t, decltype(less)> known(less);
  for (size_t s = 0; s < first_rows.size(); ++s) {
    Cell* cell = nullptr;
    const int64_t end = s + 1 < first_rows.size() ? first_rows[s + 1] : records();
    for (int64_t row = first_rows[s]; row < end; ++row) {
      if (cell == nullptr || !splits.empty()) {
        Setting setting = settings[s];
        for (const std::vector<std::string>& values : splits) setting.emplace_back(values[row]);
        const auto [entry, added] = known.emplace(std::move(setting), cells_.size());
        if (added) cells_.push_back({.setting = entry->first, .rows = {}, .trials = {}});
        cell = &cells_[entry->second];
        const int64_t trial = trial_of[first_rows[s]];
        if (cell->trials.empty() || cell->trials.back() != trial) cell->trials.push_back(trial);
      }
      cell->rows.push_back(static_cast<int32_t>(row));
      cell->failed += failed_[row];
    }
  }
}

void Results::find_varying() {
  for (size_t k = 0; k < axes_.size(); ++k) {
    const bool varies = std::ranges::any_of(
        cells_, [&](const Cell& cell) { return !same_value(cell.setting[k], cells_.front().setting[k]); });
    if (varies) varying_.push_back(k);
  }
  // Drop invert_guidance_scale if the other axes already identify every cell: the method usually determines it.
  const auto scale =
      std::ranges::find(varying_, columns::kInvertGuidanceScale.name, [&](size_t k) { return axes_[k]; });
  if (scale == varying_.end()) return;
  std::vector<size_t> others = varying_;
  others.erase(others.begin() + (scale - varying_.begin()));
  std::set<std::vector<std::string>> names;
  for (const Cell& cell : cells_) {
    std::vector<std::string> name;
    for (const size_t k : others) name.push_back(value_text(cell.setting[k]));
    names.insert(std::move(name));
  }
  if (names.size() == cells_.size()) varying_ = std::move(others);
}

void Results::describe_columns() {
  const auto costs = columns::cost_columns(), noise = columns::noise_columns();
  for (const store::Column& column : columns_) {
    const bool measured = column.type == store::ColumnType::kFloat64 && !column.direction.empty();
    if (measured && !among(costs, column.name) && !among(noise, column.name)) metrics_.push_back(column);
  }
  const auto has_all = [&](const std::vector<std::string>& parts) {
    return std::ranges::all_of(parts, [&](const std::string& part) { return reader_.has(part); });
  };
  if (has_all(columns::nfe_columns())) {
    costs_.push_back(labelled(columns::kNfe.column(), "network evaluations", 0));
  }
  if (reader_.has(columns::kGradNfe)) {
    costs_.push_back(labelled(columns::kGradNfe.column(), "backward passes", 0));
  }
  if (has_all(columns::seconds_columns())) {
    costs_.push_back(labelled(columns::kSeconds.column(), "time in the network"));
  }
}

size_t Results::axis(const std::string& column) const {
  const auto found = std::ranges::find(axes_, column);
  if (found != axes_.end()) return found - axes_.begin();
  for (size_t k = 0; k < axes_.size(); ++k) {
    if (columns::axis_label(axes_[k]) == column) return k;
  }
  throw Error(ErrorKind::kInput, fmt::format("{}: no axis '{}'; expected one of {}.{}", reader_.path().string(), column,
                                             join(axes_, ", "), did_you_mean(column, axes_)));
}

std::string Results::label(const Cell& cell) const {
  std::vector<std::string> parts;
  for (const size_t k : varying_) {
    const std::string text = value_text(cell.setting[k]);
    if (axes_[k] == columns::kMethod.name) {
      parts.insert(parts.begin(), text);
    } else if (axes_[k] == columns::kSteps.name) {
      parts.push_back(text + " steps");
    } else if (axes_[k] == columns::kTask.name) {
      parts.push_back(text);
    } else if (text != "-") {
      parts.push_back(columns::axis_label(axes_[k]) + " " + text);
    }
  }
  if (parts.empty()) return value_text(cell.setting[axis(columns::kMethod)]);
  return join(parts, ", ");
}

const store::Column* Results::find(const std::string& column) const {
  for (const std::vector<store::Column>* columns : {&metrics_, &costs_, &columns_}) {
    const auto found = std::ranges::find(*columns, column, &store::Column::name);
    if (found != columns->end()) return &*found;
  }
  return nullptr;
}

std::vector<double> Results::read_numbers(const std::string& column) const {
  if (column == "failed") return {failed_.begin(), failed_.end()};
  const auto derived = sums().find(column);
  if (derived == sums().end() || reader_.has(column)) {
    if (!reader_.has(column)) {
      std::vector<std::string> names = {columns::kNfe, columns::kSeconds, "failed"};
      for (const store::Column& each : columns_) names.push_back(each.name);
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: no column '{}'.{}", reader_.path().string(), column, did_you_mean(column, names)));
    }
    std::vector<double> values = reader_.numbers(column);
    for (size_t row = 0; row < values.size(); ++row) {
      if (failed_[row]) values[row] = kNaN;
    }
    return values;
  }
  std::vector<double> sum(records());
  for (const std::string& part : derived->second) {
    const std::vector<double> values = read_numbers(part);
    for (size_t row = 0; row < sum.size(); ++row) sum[row] += values[row];
  }
  return sum;
}

const std::vector<double>& Results::numbers(const std::string& column) const {
  const auto known = numbers_.find(column);
  return known != numbers_.end() ? known->second : numbers_[column] = read_numbers(column);
}

}  // namespace roundtrip::analysis
