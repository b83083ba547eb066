// Reads a results file (results.h5, or a shard of a run) back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/record.h"
#include "store/texts.h"

namespace roundtrip::store {

// The schema that this program writes, and the newest that it reads.
inline constexpr int64_t kSchemaVersion = 1;

// The group of a shard with the texts of its columns (results_writer.h).
inline constexpr std::string_view kTextsGroup = "texts";

// A stretch of per_step/, column by column.
struct StepTable {
  std::vector<int64_t> record, i;  // the row of the record table; grid index
  std::vector<double> t;           // time
  std::vector<double> pivot_distance, loss;
  std::vector<int64_t> inner_steps;

  size_t size() const { return record.size(); }
};

struct Array {
  ArrayType type = ArrayType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;
};

// Every stretch is [first, first + count); count -1 goes to the end.
class ResultsReader {
 public:
  // Throws kInput where the file is missing, not HDF5, truncated, without the table, or of a newer schema.
  explicit ResultsReader(const std::filesystem::path& path);
  // Caches at most `cache_bytes` of the file, for callers with many open files.
  ResultsReader(const std::filesystem::path& path, size_t cache_bytes);
  ResultsReader(ResultsReader&&) noexcept;
  ResultsReader& operator=(ResultsReader&&) noexcept;
  ~ResultsReader();

  const std::filesystem::path& path() const;
  int64_t records() const;
  int64_t planned_records() const;
  bool complete() const;  // were all planned records written?

  const std::vector<Column>& columns() const;  // in the order of the file
  bool has(const std::string& column) const;

  // Values of a column; throw kInput (with the nearest name) where it is missing or has another type.
  // `numbers` reads counts too, missing ones as NaN. `text_views` does not allocate a string for each text. A stretch
  // of several columns of text is best read before the next stretch: a block of the file holds texts of all of them.
  std::vector<double> numbers(const std::string& column, int64_t first = 0, int64_t count = -1) const;
  std::vector<int64_t> integers(const std::string& column, int64_t first = 0, int64_t count = -1) const;
  std::vector<std::string> texts(const std::string& column, int64_t first = 0, int64_t count = -1) const;
  Texts text_views(const std::string& column, int64_t first = 0, int64_t count = -1) const;
  std::vector<std::string> texts_at(const std::string& column, std::span<const int64_t> rows) const;
  std::vector<int64_t> plan_rows(int64_t first = 0, int64_t count = -1) const;  // ascending

  int64_t step_rows() const;
  std::vector<int64_t> step_records(int64_t first = 0, int64_t count = -1) const;  // they ascend
  StepTable steps(int64_t first = 0, int64_t count = -1) const;

  std::map<std::string, std::string> attributes() const;  // of the table, as its layout gave them
  std::map<std::string, std::string> provenance() const;
  std::vector<std::string> trial_configs() const;
  std::vector<std::string> trial_ids() const;  // empty in files of older versions

  // Arrays by path, such as "trajectories/12/invert" or "images/12".
  std::vector<std::string> array_paths(int64_t row) const;
  bool has_array(const std::string& path) const;  // or a group of them, such as "images"
  Array array(const std::string& path) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace roundtrip::store
