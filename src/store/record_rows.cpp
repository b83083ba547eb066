#include "store/record_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace roundtrip::store {
namespace {

const Value& value_of(const Record& record, const std::string& column) {
  static const Value kMissing;
  const auto found = record.values.find(column);
  return found == record.values.end() ? kMissing : found->second;
}

double number_of(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* count = std::get_if<int64_t>(&value)) return static_cast<double>(*count);
  return std::numeric_limits<double>::quiet_NaN();
}

int64_t count_of(const Value& value) {
  const auto* count = std::get_if<int64_t>(&value);
  return count ? *count : -1;
}

std::string text_of(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text ? *text : "";
}

template <typename T>
std::vector<T> column_of(std::span<const Record> records, const std::string& name, T (*read)(const Value&)) {
  std::vector<T> values;
  values.reserve(records.size());
  for (const Record& record : records) values.push_back(read(value_of(record, name)));
  return values;
}

ColumnValues column_of(std::span<const Record> records, const Column& column) {
  switch (column.type) {
    case ColumnType::kFloat64:
      return column_of(records, column.name, number_of);
    case ColumnType::kInt64:
      return column_of(records, column.name, count_of);
    case ColumnType::kString:
      return column_of(records, column.name, text_of);
  }
  throw Error(ErrorKind::kInternal, "a column of no known type");
}

template <typename T>
void set_values(std::vector<Record>& records, const std::string& name, std::vector<T> values, auto is_missing) {
  for (size_t k = 0; k < records.size(); ++k) {
    if (!is_missing(values[k])) records[k].values[name] = std::move(values[k]);
  }
}

// The first of the steps that belong to row `row` or a later one: they ascend.
int64_t first_step(std::span<const int64_t> step_records, int64_t row) {
  return std::ranges::lower_bound(step_records, row) - step_records.begin();
}

}  // namespace

std::string text_in(const Record& record, const std::string& column) { return text_of(value_of(record, column)); }

std::vector<Record> read_records(const ResultsReader& results, int64_t first, int64_t count) {
  const std::vector<int64_t> plan_rows = results.plan_rows(first, count);
  std::vector<Record> records(plan_rows.size());
  for (size_t k = 0; k < records.size(); ++k) records[k].plan_row = plan_rows[k];
  for (const Column& column : results.columns()) {
    const std::string& name = column.name;
    switch (column.type) {
      case ColumnType::kFloat64:
        set_values(records, name, results.numbers(name, first, count), [](double value) { return std::isnan(value); });
        break;
      case ColumnType::kInt64:
        set_values(records, name, results.integers(name, first, count), [](int64_t value) { return value == -1; });
        break;
      case ColumnType::kString:
        set_values(records, name, results.texts(name, first, count), [](const auto& value) { return value.empty(); });
        break;
    }
  }
  const std::vector<int64_t> step_records = results.step_records();
  const int64_t begin = first_step(step_records, first);
  const int64_t end = first_step(step_records, first + static_cast<int64_t>(records.size()));
  const StepTable steps = results.steps(begin, end - begin);
  for (size_t k = 0; k < steps.size(); ++k) {
    records[steps.record[k] - first].steps.push_back({.i = steps.i[k],
                                                      .t = steps.t[k],
                                                      .pivot_distance = steps.pivot_distance[k],
                                                      .loss = steps.loss[k],
                                                      .inner_steps = steps.inner_steps[k]});
  }
  return records;
}

TableBlock block_of(std::span<const Record> records, const std::vector<Column>& columns) {
  TableBlock block;
  for (const Column& column : columns) block.columns.push_back(column_of(records, column));
  for (const Record& record : records) {
    const auto row = static_cast<int64_t>(block.plan_rows.size());
    block.plan_rows.push_back(record.plan_row);
    for (const StepRow& step : record.steps) {
      block.steps.record.push_back(row);
      block.steps.i.push_back(step.i);
      block.steps.t.push_back(step.t);
      block.steps.pivot_distance.push_back(step.pivot_distance);
      block.steps.loss.push_back(step.loss);
      block.steps.inner_steps.push_back(step.inner_steps);
    }
  }
  return block;
}

}  // namespace roundtrip::store
