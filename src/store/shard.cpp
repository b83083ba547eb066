#include "store/shard.h"

#include <algorithm>

#include "base/error.h"
#include "store/record_rows.h"
#include "store/results_writer.h"

namespace roundtrip::store {
namespace {

void check_plan_row(const std::string& where, int64_t row, const TableLayout& layout) {
  if (row >= 0 && row < layout.planned_records) return;
  throw input_error(where, fmt::format("a record of plan row {}", row),
                    fmt::format("0 to {}", layout.planned_records - 1));
}

}  // namespace

Recovery write_shard(const JournalPaths& paths, const TableLayout& layout, const std::filesystem::path& shard) {
  JournalReader journal(paths);
  std::vector<JournalEntry> entries;
  while (std::optional<JournalEntry> entry = journal.next()) {
    check_plan_row(paths.lines.string(), entry->record.plan_row, layout);
    entries.push_back(std::move(*entry));
  }
  std::ranges::sort(entries, {}, [](const JournalEntry& entry) { return entry.record.plan_row; });
  std::vector<Record> records;
  for (JournalEntry& entry : entries) records.push_back(std::move(entry.record));

  const TableBlock block = block_of(records, layout.columns);
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

void rewrite_shard(const std::filesystem::path& from, const TableLayout& layout, int64_t records_per_shard,
                   const std::function<bool(Record&)>& move, const std::function<std::filesystem::path()>& next_path) {
  const ResultsReader shard(from);
  const hdf5::File file = hdf5::File::open(from);
  const std::vector<std::string> groups = array_groups(file);
  for (int64_t first = 0; first < shard.records(); first += records_per_shard) {
    std::vector<std::pair<Record, int64_t>> kept;  // and its row in the shard
    int64_t row = first;
    for (Record& record : read_records(shard, first, std::min(records_per_shard, shard.records() - first))) {
      if (move(record)) {
        check_plan_row(from.string(), record.plan_row, layout);
        kept.emplace_back(std::move(record), row);
      }
      ++row;
    }
    if (kept.empty()) continue;
    std::ranges::sort(kept, {}, [](const auto& entry) { return entry.first.plan_row; });
    std::vector<Record> records;
    for (auto& entry : kept) records.push_back(std::move(entry.first));

    const TableBlock block = block_of(records, layout.columns);
    ResultsWriter writer(next_path(), layout, static_cast<int64_t>(records.size()),
                         static_cast<int64_t>(block.steps.size()));
    writer.write(block);
    for (const std::string& name : groups) {
      const hdf5::Group group = file.open_group(name);
      for (size_t k = 0; k < kept.size(); ++k) {
        writer.copy_arrays(group, name, kept[k].second, static_cast<int64_t>(k));
      }
    }
    writer.finish();
  }
}

}  // namespace roundtrip::store
