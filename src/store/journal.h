// The journal: finished records that are not yet in a shard.
//
// Two files: `<number>.jsonl` with one line per record, `{"record":{...},"check":"<16 hex digits>"}`, the
// check over the bytes of the inner object; and `<number>.arrays` with the raw bytes of their arrays. A line
// is written only once its arrays are on disk, so a line can be trusted; array bytes
// still have checks of their own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/stopwatch.h"
#include "store/durable.h"
#include "store/json_form.h"
#include "store/record.h"

namespace roundtrip::store {

struct JournalPaths {
  JournalPaths(const std::filesystem::path& directory, int64_t number);
  std::filesystem::path lines, arrays;
};

class JournalWriter {
 public:
  explicit JournalWriter(const JournalPaths& paths);  // two new files

  // Returns the places of the arrays. Throws kInput (a full disk) and then leaves the journal unchanged.
  std::vector<ArrayReference> append(const Record& record, std::span<const ArrayView> arrays);

  void sync();                       // all lines are on disk once this returns
  void sync_if_due(double seconds);  // sync() if the last one is that long ago
  int64_t array_bytes() const { return arrays_.size(); }

 private:
  AppendFile lines_, arrays_;
  std::string waiting_;  // lines whose arrays, or whose predecessors' arrays, are not yet on disk
  std::string line_;     // the last line; its memory is reused
  Stopwatch since_sync_;
};

// Reads one line after the other and skips incomplete ones, wherever they are.
class JournalReader {
 public:
  explicit JournalReader(const JournalPaths& paths);  // missing files count as empty

  std::optional<JournalEntry> next();
  // Returns the bytes of an appended array. Throws kInput where they have changed since.
  std::vector<std::byte> bytes_of(const ArrayReference& array);

  int64_t ignored_lines() const { return ignored_lines_; }
  int64_t ignored_bytes() const { return ignored_bytes_; }

 private:
  std::optional<JournalEntry> parse(const std::string& line);
  bool holds(const ArrayReference& array);
  std::vector<std::byte> read(const ArrayReference& array);

  std::filesystem::path arrays_path_;
  std::ifstream lines_, arrays_;
  int64_t array_bytes_ = 0;
  int64_t ignored_lines_ = 0, ignored_bytes_ = 0;
};

}  // namespace roundtrip::store
