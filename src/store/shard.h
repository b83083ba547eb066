// Shards: finished stretches of a run, each a results file of its own, in plan order.
#pragma once

#include <filesystem>
#include <functional>
#include <span>

#include "store/journal.h"
#include "store/record_rows.h"
#include "store/run_store.h"

namespace roundtrip::store {

// The records of a journal on their way into a shard.
class JournalledRecords {
 public:
  explicit JournalledRecords(std::span<const Column> columns) : records_(columns) {}

  void add(const Record& record, std::vector<ArrayReference> arrays);
  int64_t size() const { return records_.size(); }
  int64_t bytes() const { return records_.bytes(); }  // in memory, about

  // Writes the shard, whole or not at all; `journal` holds the arrays.
  void write(const TableLayout& layout, const JournalPaths& journal, const std::filesystem::path& shard) const;

 private:
  GatheredRecords records_;
  std::vector<std::vector<ArrayReference>> arrays_;
};

// A journal that a dead process left into a shard; says what of the journal it kept. Throws kInput where a record is
// not of this layout.
Recovery recover_journal(const JournalPaths& journal, const TableLayout& layout, const std::filesystem::path& shard);

// A shard, or any results file, into shards of another layout: up to `records_per_shard` rows each, under the names
// that `next_path` gives. `move` sets a record's new plan row and may change its values; where it returns false the
// record is left out.
void rewrite_shard(const std::filesystem::path& from, const TableLayout& layout, int64_t records_per_shard,
                   const std::function<bool(Record&)>& move, const std::function<std::filesystem::path()>& next_path);

}  // namespace roundtrip::store
