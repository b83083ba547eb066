// Rows of a table as records, and records as rows: between what is appended and what a results file holds.
//
// A missing number of a column is NaN there, a missing count -1, a missing text "": reading gives them back as missing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "store/record.h"
#include "store/results_reader.h"
#include "store/results_writer.h"

namespace roundtrip::store {

// The rows [first, first + count) of a results file, with their steps; arrays stay where they are.
std::vector<Record> read_records(const ResultsReader& results, int64_t first, int64_t count);

// Records column by column, as they come.
class GatheredRecords {
 public:
  explicit GatheredRecords(std::span<const Column> columns);

  void add(const Record& record);
  int64_t size() const { return static_cast<int64_t>(block_.plan_rows.size()); }
  int64_t bytes() const { return bytes_; }  // in memory, about

  // In plan order, and which of the records added came to which row.
  std::pair<TableBlock, std::vector<size_t>> in_plan_order() const;

 private:
  TableBlock block_;
  std::vector<std::pair<std::string, size_t>> by_name_;  // the columns, as a record has its values
  int64_t bytes_ = 0;
};

}  // namespace roundtrip::store
