// Results files into one, in plan order, a stretch of the plan at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "store/run_store.h"

namespace roundtrip::store {

// The parts have the layout's columns, and no plan row in common. About `memory` bytes of records are in
// memory, and one part's step numbers. The same records give the same bytes, however they are spread over
// parts.
void merge_results(std::span<const std::filesystem::path> parts, const TableLayout& layout, int64_t memory,
                   const std::filesystem::path& to);

}  // namespace roundtrip::store
