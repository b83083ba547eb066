// Converts records to rows of a results file and back.
// In the file a missing number is NaN, a missing count -1, a missing text ""; reading returns them as missing.
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

// The rows [first, first + count) of a results file, with their steps, without their arrays.
std::vector<Record> read_records(const ResultsReader& results, int64_t first, int64_t count);

// Collects records column by column.
class GatheredRecords {
 public:
  explicit GatheredRecords(std::span<const Column> columns);

  void add(const Record& record);
  int64_t size() const { return static_cast<int64_t>(block_.plan_rows.size()); }
  int64_t bytes() const { return bytes_; }  // in memory, about

  // Returns the block in plan order, and for each row the index of its record in order of addition.
  std::pair<TableBlock, std::vector<size_t>> in_plan_order() const;

 private:
  TableBlock block_;
  std::vector<std::pair<std::string, size_t>> by_name_;  // the columns, sorted by name as a record's values are
  int64_t bytes_ = 0;
};

}  // namespace roundtrip::store
