// Writes a results file: shards and results.h5 alike.
//
//   /record, /plan_row, /<column>...   one row per record, on the dimension scale `record`
//   /per_step/step_row, record, i, t, pivot_distance, loss, inner_steps
//   /trials/trial, config_yaml, id     of each trial: its resolved YAML, its id
//   /provenance                        attributes: everything that differs between two equal runs
//   /<group>/<row>[/<name>]            arrays, such as /trajectories/12/invert. With saved images: /images/12 and
//                                      /sources/12 u8 [H, W, 3]; of an edit that words bounded, /blend_masks/12
//                                      u8 [H, W] and /word_maps/12 u8 [2, H, W], the source's words and the target's
// A shard, which only this program reads, stores a column of text as indices into the texts in
// /texts/<column>: HDF5 takes a microsecond for every text that it writes or reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "store/hdf5.h"
#include "store/record.h"
#include "store/results_reader.h"
#include "store/run_store.h"

namespace roundtrip::store {

using ColumnValues = std::variant<std::vector<double>, std::vector<int64_t>, std::vector<std::string>>;

// A stretch of records, column by column, in memory. Plan rows ascend.
struct TableBlock {
  std::vector<int64_t> plan_rows;
  std::vector<ColumnValues> columns;  // in the layout's order, each as long as plan_rows
  StepTable steps;                    // `record` counts from the block's first row
};

enum class FileKind { kResults, kShard };

class ResultsWriter {
 public:
  // Writes `part_of(path)`; the numbers of records and steps are known in advance.
  ResultsWriter(std::filesystem::path path, const TableLayout& layout, int64_t records, int64_t step_rows,
                FileKind kind = FileKind::kResults);
  ~ResultsWriter();  // an unfinished file is removed
  ResultsWriter(const ResultsWriter&) = delete;
  ResultsWriter& operator=(const ResultsWriter&) = delete;

  void write(const TableBlock& block);  // the next rows; of a shard, all

  // The next rows in pieces, where a block would need too much memory: each column, the steps, then advance().
  void write_plan_rows(std::span<const int64_t> plan_rows) { plan_rows_->write(row_, plan_rows); }
  template <typename T>
  void write_column(size_t column, std::span<const T> values) {
    columns_[column].write(row_, values);
  }
  void write_steps(const StepTable& steps);
  void advance(size_t rows, size_t step_rows);

  void write_array(int64_t row, const ArrayView& array);
  // Copies the arrays of row `from_row` in `group` (such as "images") of another file, if any.
  void copy_arrays(const hdf5::Group& from, const std::string& group, int64_t from_row, int64_t row);

  void finish();  // to disk, and to its final name

 private:
  void write_codes(size_t column, std::span<const std::string> texts);

  std::filesystem::path path_;
  hdf5::File file_;
  std::vector<hdf5::Dataset> columns_, steps_;
  std::vector<std::string> column_names_;
  std::optional<hdf5::Dataset> plan_rows_;
  std::optional<hdf5::Group> texts_;     // of a shard
  int64_t records_ = 0, step_rows_ = 0;  // to be written, in all
  int64_t row_ = 0, step_row_ = 0;       // written
};

// The groups below the root that hold arrays by row, such as "images".
std::vector<std::string> array_groups(const hdf5::Group& root);

}  // namespace roundtrip::store
