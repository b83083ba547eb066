#include "store/shard.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "store/results_writer.h"

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
std::vector<T> column_of(const std::vector<JournalEntry>& entries, const std::string& name, T (*read)(const Value&)) {
  std::vector<T> values;
  values.reserve(entries.size());
  for (const JournalEntry& entry : entries) values.push_back(read(value_of(entry.record, name)));
  return values;
}

ColumnValues column_of(const std::vector<JournalEntry>& entries, const Column& column) {
  switch (column.type) {
    case ColumnType::kFloat64:
      return column_of(entries, column.name, number_of);
    case ColumnType::kInt64:
      return column_of(entries, column.name, count_of);
    case ColumnType::kString:
      return column_of(entries, column.name, text_of);
  }
  throw Error(ErrorKind::kInternal, "a column of no known type");
}

TableBlock block_of(const std::vector<JournalEntry>& entries, const std::vector<Column>& columns) {
  TableBlock block;
  for (const Column& column : columns) block.columns.push_back(column_of(entries, column));
  for (const JournalEntry& entry : entries) {
    const auto row = static_cast<int64_t>(block.plan_rows.size());
    block.plan_rows.push_back(entry.record.plan_row);
    for (const StepRow& step : entry.record.steps) {
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

}  // namespace

Recovery write_shard(const JournalPaths& paths, const TableLayout& layout, const std::filesystem::path& shard) {
  JournalReader journal(paths);
  std::vector<JournalEntry> entries;
  while (std::optional<JournalEntry> entry = journal.next()) {
    const int64_t row = entry->record.plan_row;
    if (row < 0 || row >= layout.planned_records) {
      throw input_error(paths.lines.string(), fmt::format("a record of plan row {}", row),
                        fmt::format("0 to {}", layout.planned_records - 1));
    }
    entries.push_back(std::move(*entry));
  }
  std::ranges::sort(entries, {}, [](const JournalEntry& entry) { return entry.record.plan_row; });

  const TableBlock block = block_of(entries, layout.columns);
  ResultsWriter writer(shard, layout, static_cast<int64_t>(entries.size()), static_cast<int64_t>(block.steps.size()));
  writer.write(block);
  for (size_t row = 0; row < entries.size(); ++row) {
    for (const ArrayReference& array : entries[row].arrays) {
      const std::vector<std::byte> bytes = journal.bytes_of(array);
      writer.write_array(static_cast<int64_t>(row), {array.path, array.type, array.shape, bytes});
    }
  }
  writer.finish();
  return {static_cast<int64_t>(entries.size()), journal.ignored_lines(), journal.ignored_bytes()};
}

}  // namespace roundtrip::store
