// The journal: what has finished and is not yet in a shard.
//
// Two files: `<number>.jsonl` with one line per record, `{"record":{...},"check":"<16 hex digits>"}`, the
// check over the bytes of the inner object; and `<number>.arrays` with the raw bytes of their arrays. A line
// goes to its file only once its arrays are on disk, so a line that is there can be honoured; array bytes
// carry checks of their own all the same.
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

  // Returns where the arrays lie. Throws kInput (a full disk); the journal then holds what it held.
  std::vector<ArrayReference> append(const Record& record, std::span<const ArrayView> arrays);

  void sync();                       // all lines are on disk once this returns
  void sync_if_due(double seconds);  // sync, if the last one is that long ago
  int64_t array_bytes() const { return arrays_.size(); }

 private:
  AppendFile lines_, arrays_;
  std::string waiting_;  // lines whose arrays, or whose predecessors' arrays, are not yet on disk
  std::string line_;     // the last one: its memory serves the next
  Stopwatch since_sync_;
};

// Reads one line after the other and passes over those that are not whole, wherever they are.
class JournalReader {
 public:
  explicit JournalReader(const JournalPaths& paths);  // files that are not there are empty

  std::optional<JournalEntry> next();
  // Of an array that was appended. Throws kInput where its bytes are not what they were then.
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
