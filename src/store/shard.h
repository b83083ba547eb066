// Shards: finished stretches of a run, each a results file, in plan order.
#pragma once

#include <filesystem>
#include <functional>
#include <span>

#include "store/journal.h"
#include "store/record_rows.h"
#include "store/run_store.h"

namespace roundtrip::store {

// The records of a journal that will become a shard.
class JournalledRecords {
 public:
  explicit JournalledRecords(std::span<const Column> columns) : records_(columns) {}

  void add(const Record& record, std::vector<ArrayReference> arrays);
  int64_t size() const { return records_.size(); }
  int64_t bytes() const { return records_.bytes(); }  // in memory, about

  // Writes the shard, completely or not at all; `journal` has the arrays.
  void write(const TableLayout& layout, const JournalPaths& journal, const std::filesystem::path& shard) const;

 private:
  GatheredRecords records_;
  std::vector<std::vector<ArrayReference>> arrays_;
};

// Turns the journal of a dead process into a shard and returns what was recovered. Throws kInput where a record does
// not fit the layout.
Recovery recover_journal(const JournalPaths& journal, const TableLayout& layout, const std::filesystem::path& shard);

// Rewrites a shard, or any results file, as shards of another layout: up to `records_per_shard` rows each, at the paths
// that `next_path` returns. `move` sets a record's new plan row and may change its values; a record is dropped where it
// returns false.
void rewrite_shard(const std::filesystem::path& from, const TableLayout& layout, int64_t records_per_shard,
                   const std::function<bool(Record&)>& move, const std::function<std::filesystem::path()>& next_path);

}  // namespace roundtrip::store
