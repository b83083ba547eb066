// Rewrites a results file into a new one with the same records and other columns.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "store/record.h"
#include "store/results_reader.h"
#include "store/run_store.h"

namespace roundtrip::store {

// The layout of a results file: everything but its records.
TableLayout layout_of(const ResultsReader& results);

// Copies every record and array of `from`, completely or not at all, with a stretch of records in memory at a time. The
// layout has the columns of the new file, and `change` sets the new values of a record, which is row `row` of both.
// Throws kInput where `to` cannot be written, and whatever `change` throws.
void rewrite_results(const std::filesystem::path& from, const TableLayout& layout,
                     const std::function<void(int64_t row, Record& record)>& change, const std::filesystem::path& to);

}  // namespace roundtrip::store
