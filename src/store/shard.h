// A journal into a shard: a results file of what it holds, in plan order.
#pragma once

#include <filesystem>

#include "store/journal.h"
#include "store/run_store.h"

namespace roundtrip::store {

// Writes the shard whole or not at all, and says what of the journal it kept. Throws kInput where a record is
// not of this layout.
Recovery write_shard(const JournalPaths& journal, const TableLayout& layout, const std::filesystem::path& shard);

}  // namespace roundtrip::store
