#include "store/record_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>

#include "base/error.h"
#include "store/json_form.h"

namespace roundtrip::store {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// A journal stores a NaN without its payload.
double number(double value) { return std::isnan(value) ? kNaN : value; }

// Each appends a value, which may be missing, to its column and returns the bytes of memory that it takes.

int64_t add(std::vector<double>& column, const Value& value) {
  if (const auto* count = std::get_if<int64_t>(&value)) {
    column.push_back(static_cast<double>(*count));
  } else {
    const auto* given = std::get_if<double>(&value);
    column.push_back(number(given ? *given : kNaN));
  }
  return sizeof(double);
}

int64_t add(std::vector<int64_t>& column, const Value& value) {
  const auto* count = std::get_if<int64_t>(&value);
  column.push_back(count ? *count : -1);
  return sizeof(int64_t);
}

int64_t add(std::vector<std::string>& column, const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  column.push_back(text ? sanitise_utf8(*text) : "");
  return static_cast<int64_t>(sizeof(std::string) + column.back().size());
}

ColumnValues empty_column(ColumnType type) {
  switch (type) {
    case ColumnType::kFloat64:
      return std::vector<double>();
    case ColumnType::kInt64:
      return std::vector<int64_t>();
    case ColumnType::kString:
      return std::vector<std::string>();
  }
  throw Error(ErrorKind::kInternal, "a column of unknown type");
}

void add(StepTable& table, int64_t row, const StepRow& step) {
  table.record.push_back(row);
  table.i.push_back(step.i);
  table.t.push_back(step.t);
  table.pivot_distance.push_back(number(step.pivot_distance));
  table.loss.push_back(number(step.loss));
  table.inner_steps.push_back(step.inner_steps);
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

GatheredRecords::GatheredRecords(std::span<const Column> columns) {
  for (const Column& column : columns) {
    by_name_.emplace_back(column.name, block_.columns.size());
    block_.columns.push_back(empty_column(column.type));
  }
  std::ranges::sort(by_name_);
}

void GatheredRecords::add(const Record& record) {
  static const Value kMissing;
  auto value = record.values.begin();
  for (const auto& [name, column] : by_name_) {
    while (value != record.values.end() && value->first < name) ++value;
    const bool is_there = value != record.values.end() && value->first == name;
    bytes_ += std::visit([&](auto& typed) { return store::add(typed, is_there ? value->second : kMissing); },
                         block_.columns[column]);
  }
  for (const StepRow& step : record.steps) store::add(block_.steps, size(), step);
  bytes_ += static_cast<int64_t>(sizeof(int64_t) + record.steps.size() * sizeof(StepRow));
  block_.plan_rows.push_back(record.plan_row);
}

std::pair<TableBlock, std::vector<size_t>> GatheredRecords::in_plan_order() const {
  std::vector<size_t> order(block_.plan_rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](size_t row) { return block_.plan_rows[row]; });
  const auto sorted = [&](const auto& values) {
    std::remove_cvref_t<decltype(values)> result;
    result.reserve(values.size());
    for (const size_t row : order) result.push_back(values[row]);
    return result;
  };

  TableBlock block;
  block.plan_rows = sorted(block_.plan_rows);
  for (const ColumnValues& column : block_.columns) {
    block.columns.push_back(std::visit([&](const auto& values) { return ColumnValues(sorted(values)); }, column));
  }
  const StepTable& steps = block_.steps;
  for (size_t row = 0; row < order.size(); ++row) {
    const auto from = static_cast<int64_t>(order[row]);
    const int64_t end = first_step(steps.record, from + 1);
    for (int64_t k = first_step(steps.record, from); k < end; ++k) {
      store::add(block.steps, static_cast<int64_t>(row),
                 {.i = steps.i[k],
                  .t = steps.t[k],
                  .pivot_distance = steps.pivot_distance[k],
                  .loss = steps.loss[k],
                  .inner_steps = steps.inner_steps[k]});
    }
  }
  return {std::move(block), std::move(order)};
}

}  // namespace roundtrip::store
