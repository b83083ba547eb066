// What the columns of text say of each record: whether it failed, which image it is of, and of each trial its axes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/table/names.h"
#include "store/results_reader.h"

namespace roundtrip::analysis {

struct RecordTexts {
  std::vector<bool> failed;                       // by row
  std::vector<int32_t> image_of;                  // by row: the sample, with the target of its edit if any
  std::vector<std::vector<std::string>> of_axes;  // in the order of `axes`: at each of `first_rows`
};

// `axes` are columns of text; `first_rows` ascend. In one pass, a stretch of rows after the other.
RecordTexts read_record_texts(const store::ResultsReader& reader, std::span<const std::string> axes,
                              std::span<const int64_t> first_rows, Names& images);

}  // namespace roundtrip::analysis
