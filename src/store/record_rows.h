// Rows of a table as records, and records as rows: between what is appended and what a results file holds.
//
// A missing number of a column is NaN there, a missing count -1, a missing text "": reading gives them back as missing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/record.h"
#include "store/results_reader.h"
#include "store/results_writer.h"

namespace roundtrip::store {

// The rows [first, first + count) of a results file, with their steps; arrays stay where they are.
std::vector<Record> read_records(const ResultsReader& results, int64_t first, int64_t count);

// The text that a record has in a column; empty where it has none.
std::string text_in(const Record& record, const std::string& column);

// The records, which are in plan order, column by column.
TableBlock block_of(std::span<const Record> records, const std::vector<Column>& columns);

}  // namespace roundtrip::store
