// One run's directory, from the first record to results.h5.
//   <run>/journal/    records not yet in a shard: a checksummed journal with its arrays, and the table's layout
//   <run>/shards/     finished stretches, each a results file (shards-1/ ... after replan)
//   <run>/results.h5  everything, in plan order; replaces the other two
// A killed run loses at most the records appended after the last sync(): recover() opens the rest, and a finished run
// too, so that more can be added. A file gets its final name only once it is complete and on disk. Memory is bounded by
// a stretch of records (and one bit for each planned record; finish() needs 24 bytes a record). Not thread-safe; a
// second process on the same directory is refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/record.h"

namespace roundtrip::store {

// The contents of a results file other than its records.
struct TableLayout {
  std::vector<Column> columns;                    // in the order of the file; names are unique
  std::map<std::string, std::string> attributes;  // of the table, such as "title"
  std::vector<std::string> trial_configs;         // the resolved YAML of each trial
  std::vector<std::string> trial_ids;             // identifies a trial across runs; one for each trial, or none
  std::map<std::string, std::string> provenance;  // times, host and whatever else differs between equal runs
  int64_t planned_records = 0;                    // plan rows are 0 .. planned_records - 1
};

// A shard is written at `records_per_shard` records, or earlier at one of the two sizes.
struct StoreOptions {
  int64_t records_per_shard = 1 << 15;
  int64_t shard_memory = 32 << 20;          // bytes of records in memory until they are in a shard
  int64_t shard_arrays = int64_t{4} << 30;  // bytes of arrays on disk until they are
  double sync_seconds = 1;                  // least time between two syncs by sync_if_due()
  int64_t merge_memory = 16 << 20;          // bytes of records in memory at once when results.h5 is made
};

// The records that recover() found.
struct Recovery {
  int64_t records = 0;        // complete ones
  int64_t ignored_lines = 0;  // torn or corrupt ones
  int64_t ignored_bytes = 0;
};

class RunStore {
 public:
  // Creates the directory (it may exist, with other files in it). Throws kInput where it holds results or an
  // unfinished run, or cannot be written.
  RunStore(std::filesystem::path directory, TableLayout layout, StoreOptions options = {});

  // Opens the directory of a run, whether it reached finish() or not: append the missing records, or finish() at once.
  // Until then an existing results.h5 is unchanged. Throws kInput where there is no run or another process is
  // still writing it.
  static RunStore recover(const std::filesystem::path& directory, StoreOptions options = {});

  RunStore(RunStore&&) noexcept;
  RunStore& operator=(RunStore&&) noexcept;
  ~RunStore();  // without finish() the directory remains for recover()

  // Adds a finished record. Its plan row is new, its columns are the layout's, with values of their type; an
  // array's path is "<group>/{row}" or "<group>/{row}/<name>". Invalid UTF-8 is replaced by U+FFFD.
  // Throws kInput when the disk is full or fails; records appended before are kept.
  void append(const Record& record, std::span<const ArrayView> arrays = {});

  // Drops a record, such as a failed one to be retried: the next one appended for its row replaces it.
  // Without a replacement it reappears after recover(), and finish() keeps it.
  void forget(int64_t plan_row);

  // Changes the plan of the run: `move` sets a record's new plan row, distinct for each, and may change its values. A
  // kill leaves either the old plan or the new one.
  void replan(TableLayout layout, const std::function<void(Record&)>& move);

  // The shards, oldest first; where two have a row, the newer counts. After recover() they have all records.
  std::vector<std::filesystem::path> shards() const;

  void sync();         // everything appended so far survives a power cut once this returns
  void sync_if_due();  // sync() if the last was `sync_seconds` ago; for loops that may wait long for a record

  // Writes results.h5 with the records appended so far, removes journal and shards, and returns the file's path.
  // Call it once.
  std::filesystem::path finish();

  void set_provenance(const std::string& key, const std::string& value);  // for values known late; finish() stores them

  // Stores a line for `roundtrip status` (run_status.h).
  void show_progress(std::string_view text);

  const std::filesystem::path& directory() const;
  const TableLayout& layout() const;
  int64_t written() const;             // number of records
  bool holds(int64_t plan_row) const;  // whether it has that record
  const Recovery& recovery() const;

 private:
  struct State;
  explicit RunStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace roundtrip::store
