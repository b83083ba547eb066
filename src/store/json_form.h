// Records and layouts as JSON, as the journal stores them.
//
// JSON has no NaN and no infinity: those numbers are ["nan"], ["inf"], ["-inf"]. Missing values are left out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "store/record.h"
#include "store/run_store.h"

namespace roundtrip::store {

// The place of an array's bytes in the file beside the journal.
struct ArrayReference {
  std::string path;
  ArrayType type = ArrayType::kFloat32;
  std::vector<int64_t> shape;
  int64_t offset = 0, size = 0;  // bytes
  std::string check;             // checksum() of them
};

struct JournalEntry {
  Record record;
  std::vector<ArrayReference> arrays;
};

// The first 16 digits of SHA-256.
std::string checksum(std::string_view bytes);

// Replaces invalid UTF-8, and NULs (which would end the text in HDF5), by U+FFFD.
std::string sanitise_utf8(std::string_view text);

// Appends the entry to `json`, without a line end.
void encode_entry(const Record& record, std::span<const ArrayReference> arrays, std::string& json);
JournalEntry decode_entry(std::string_view json);  // throws nlohmann's errors

// A run's layout and the number of the plan that its shards follow, which grows with every RunStore::replan.
struct StoredLayout {
  TableLayout layout;
  int64_t plan = 0;
};
std::string encode_layout(const StoredLayout& stored);
StoredLayout decode_layout(std::string_view json);  // throws nlohmann's errors

}  // namespace roundtrip::store
