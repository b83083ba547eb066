// Merges results files into one, in plan order, a stretch of the plan at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "store/run_store.h"

namespace roundtrip::store {

// The parts have the layout's columns; where two have a plan row, the later part's counts. Needs about `memory` bytes,
// and up to 24 bytes for each record. Equal records give equal bytes, however they are distributed over parts.
void merge_results(std::span<const std::filesystem::path> parts, const TableLayout& layout, int64_t memory,
                   const std::filesystem::path& to);

}  // namespace roundtrip::store
