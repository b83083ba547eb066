// One run's directory, from the first record to results.h5.
//
//   <run>/journal/   what is not yet in a shard: a checksummed journal with its arrays, and the table's
//   layout <run>/shards/    finished stretches, each a results file of its own <run>/results.h5 everything,
//   in plan order; the other two are gone then
//
// A killed run loses at most what was appended after the last sync(): recover() takes up the rest. A file
// bears its final name only once it is whole and on disk. Memory stays at a stretch of records, however many
// there are (and one bit for each planned one). Not for use from two threads at once; two processes on one
// directory are refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "store/record.h"

namespace roundtrip::store {

// What a results file says besides its records.
struct TableLayout {
  std::vector<Column> columns;                    // in the order of the file; names are unique
  std::map<std::string, std::string> attributes;  // of the table, such as "title"
  std::vector<std::string> trial_configs;         // the resolved YAML of each trial
  std::map<std::string, std::string> provenance;  // whatever differs between two equal runs, such as times and host
  int64_t planned_records = 0;                    // plan rows are 0 .. planned_records - 1
};

struct StoreOptions {
  int64_t records_per_shard = 2048;  // in memory at once when a shard is made
  double sync_seconds = 1;           // at least so long between two syncs that nobody asked for
  int64_t merge_memory = 32 << 20;   // bytes of records in memory at once when results.h5 is made
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

  // Takes up the directory of a run that ended without finish(): append what is missing, or finish() as it
  // is. Throws kInput where there is no such run or another process is still writing it.
  static RunStore recover(const std::filesystem::path& directory, StoreOptions options = {});

  RunStore(RunStore&&) noexcept;
  RunStore& operator=(RunStore&&) noexcept;
  ~RunStore();  // without finish() the directory is left for recover()

  // Adds a finished record. Its plan row is new, its columns are the layout's, with values of their type; an
  // array's path is "<group>/{row}" or "<group>/{row}/<name>". Text that is not UTF-8 is mended with U+FFFD.
  // Throws kInput when the disk is full or fails: what was appended before stays.
  void append(const Record& record, std::span<const ArrayView> arrays = {});

  void sync();         // everything appended so far survives a power cut once this returns
  void sync_if_due();  // the same, if the last was `sync_seconds` ago; for loops that may wait long for a
                       // next record

  // Writes results.h5 with the records there are, removes journal and shards, and returns the file's path.
  // Call it once.
  std::filesystem::path finish();

  void set_provenance(const std::string& key,
                      const std::string& value);  // for what is known late; kept by finish()

  const std::filesystem::path& directory() const;
  const TableLayout& layout() const;
  int64_t written() const;             // records appended, in all
  bool holds(int64_t plan_row) const;  // is that record there already?
  const Recovery& recovery() const;

 private:
  struct State;
  explicit RunStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace roundtrip::store
