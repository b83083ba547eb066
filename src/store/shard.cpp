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

// The layout of a shard: trials and provenance are stored once for the run.
TableLayout shard_layout(const TableLayout& run) {
  TableLayout layout;
  layout.columns = run.columns;
  layout.planned_records = run.planned_records;
  return layout;
}

}  // namespace

void JournalledRecords::add(const Record& record, std::vector<ArrayReference> arrays) {
  records_.add(record);
  arrays_.push_back(std::move(arrays));
}

void JournalledRecords::write(const TableLayout& layout, const JournalPaths& paths,
                              const std::filesystem::path& shard) const {
  const auto [block, order] = records_.in_plan_order();
  ResultsWriter writer(shard, shard_layout(layout), size(), static_cast<int64_t>(block.steps.size()), FileKind::kShard);
  writer.write(block);
  JournalReader journal(paths);
  for (size_t row = 0; row < order.size(); ++row) {
    for (const ArrayReference& array : arrays_[order[row]]) {
      const std::vector<std::byte> bytes = journal.bytes_of(array);
      writer.write_array(static_cast<int64_t>(row), {array.path, array.type, array.shape, bytes});
    }
  }
  writer.finish();
}

Recovery recover_journal(const JournalPaths& paths, const TableLayout& layout, const std::filesystem::path& shard) {
  JournalReader journal(paths);
  JournalledRecords records(layout.columns);
  while (std::optional<JournalEntry> entry = journal.next()) {
    check_plan_row(paths.lines.string(), entry->record.plan_row, layout);
    records.add(entry->record, std::move(entry->arrays));
  }
  records.write(layout, paths, shard);
  return {records.size(), journal.ignored_lines(), journal.ignored_bytes()};
}

void rewrite_shard(const std::filesystem::path& from, const TableLayout& layout, int64_t records_per_shard,
                   const std::function<bool(Record&)>& move, const std::function<std::filesystem::path()>& next_path) {
  const ResultsReader shard(from);
  const hdf5::File file = hdf5::File::open(from);
  const std::vector<std::string> groups = array_groups(file);
  for (int64_t first = 0; first < shard.records(); first += records_per_shard) {
    GatheredRecords kept(layout.columns);
    std::vector<int64_t> kept_rows;  // of the file
    int64_t row = first;
    for (Record& record : read_records(shard, first, std::min(records_per_shard, shard.records() - first))) {
      if (move(record)) {
        check_plan_row(from.string(), record.plan_row, layout);
        kept.add(record);
        kept_rows.push_back(row);
      }
      ++row;
    }
    if (kept_rows.empty()) continue;
    const auto [block, order] = kept.in_plan_order();
    ResultsWriter writer(next_path(), shard_layout(layout), kept.size(), static_cast<int64_t>(block.steps.size()),
                         FileKind::kShard);
    writer.write(block);
    for (const std::string& name : groups) {
      const hdf5::Group group = file.open_group(name);
      for (size_t k = 0; k < order.size(); ++k) {
        writer.copy_arrays(group, name, kept_rows[order[k]], static_cast<int64_t>(k));
      }
    }
    writer.finish();
  }
}

}  // namespace roundtrip::store
