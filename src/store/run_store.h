// One run's directory, from the first record to results.h5.
//
//   <run>/journal/    what is not yet in a shard: a checksummed journal with its arrays, and the table's layout
//   <run>/shards/     finished stretches, each a results file of its own (shards-1/ ... after replan)
//   <run>/results.h5  everything, in plan order; the other two are gone then
//
// A killed run loses at most what was appended after the last sync(): recover() takes up the rest, and a finished run
// too, so that more can be added to it. A file bears its final name only once it is whole and on disk. Memory stays at
// a stretch of records, however many there are (and a bit for each planned one; finish() takes 24 bytes a record). Not
// for use from two threads at once; two processes on one directory are refused.
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

// What a results file says besides its records.
struct TableLayout {
  std::vector<Column> columns;                    // in the order of the file; names are unique
  std::map<std::string, std::string> attributes;  // of the table, such as "title"
  std::vector<std::string> trial_configs;         // the resolved YAML of each trial
  std::vector<std::string> trial_ids;             // what a trial is known by from run to run; as many, or none
  std::map<std::string, std::string> provenance;  // whatever differs between two equal runs, such as times and host
  int64_t planned_records = 0;                    // plan rows are 0 .. planned_records - 1
};

// A shard is made of so many records, or of fewer where they reach one of the two sizes.
struct StoreOptions {
  int64_t records_per_shard = 1 << 15;
  int64_t shard_memory = 32 << 20;          // bytes of records in memory until they are in a shard
  int64_t shard_arrays = int64_t{4} << 30;  // bytes of arrays on disk until they are
  double sync_seconds = 1;                  // at least so long between two syncs that nobody asked for
  int64_t merge_memory = 16 << 20;          // bytes of records in memory at once when results.h5 is made
};

// What recover() found.
struct Recovery {
  int64_t records = 0;        // whole ones, kept
  int64_t ignored_lines = 0;  // torn or corrupt ones
  int64_t ignored_bytes = 0;
};

class RunStore {
 public:
  // Creates the directory (it may exist, with other files in it). Throws kInput where it holds results or an
  // unfinished run, or cannot be written.
  RunStore(std::filesystem::path directory, TableLayout layout, StoreOptions options = {});

  // Takes up the directory of a run, whether it reached finish() or not: append what is missing, or finish() as it is.
  // Until then results.h5, if there is one, stays as it was. Throws kInput where there is no run or another process is
  // still writing it.
  static RunStore recover(const std::filesystem::path& directory, StoreOptions options = {});

  RunStore(RunStore&&) noexcept;
  RunStore& operator=(RunStore&&) noexcept;
  ~RunStore();  // without finish() the directory is left for recover()

  // Adds a finished record. Its plan row is new, its columns are the layout's, with values of their type; an
  // array's path is "<group>/{row}" or "<group>/{row}/<name>". Text that is not UTF-8 is mended with U+FFFD.
  // Throws kInput when the disk is full or fails: what was appended before stays.
  void append(const Record& record, std::span<const ArrayView> arrays = {});

  // Drops a record, such as a failed one that is to be tried again: the next one appended for its row takes its place.
  // Without a next one it is there again after recover(), and finish() keeps it.
  void forget(int64_t plan_row);

  // Gives the run another plan: `move` sets a record's new plan row, each another, and may change its values. A kill
  // leaves either the old plan or the new one.
  void replan(TableLayout layout, const std::function<void(Record&)>& move);

  // The finished stretches, oldest first; where two hold a row, the newer counts. After recover() they are all there
  // is.
  std::vector<std::filesystem::path> shards() const;

  void sync();         // everything appended so far survives a power cut once this returns
  void sync_if_due();  // the same, if the last was `sync_seconds` ago; for loops that may wait long for a next record

  // Writes results.h5 with the records there are, removes journal and shards, and returns the file's path.
  // Call it once.
  std::filesystem::path finish();

  void set_provenance(const std::string& key, const std::string& value);  // for what is known late; kept by finish()

  // A line for whoever looks at the run from outside (glance.h).
  void show_progress(std::string_view text);

  const std::filesystem::path& directory() const;
  const TableLayout& layout() const;
  int64_t written() const;             // records that it holds
  bool holds(int64_t plan_row) const;  // is that record there already?
  const Recovery& recovery() const;

 private:
  struct State;
  explicit RunStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace roundtrip::store
