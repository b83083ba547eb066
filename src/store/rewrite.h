// A results file into a new one of the same records, whose columns differ.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "store/record.h"
#include "store/results_reader.h"
#include "store/run_store.h"

namespace roundtrip::store {

// What a results file says besides its records, as its run was given it.
TableLayout layout_of(const ResultsReader& results);

// Every record and array of `from`, whole or not at all, a stretch of records in memory at a time. The layout has the
// columns of the new file, and `change` gives a record, which is row `row` of both, its values there. Throws kInput
// where `to` cannot be written, and whatever `change` throws.
void rewrite_results(const std::filesystem::path& from, const TableLayout& layout,
                     const std::function<void(int64_t row, Record& record)>& change, const std::filesystem::path& to);

}  // namespace roundtrip::store
