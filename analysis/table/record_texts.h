// Reads the text columns: whether each record failed, its image, and the axes of each trial.
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
  std::vector<int32_t> image_of;                  // by row: the sample, with the target of its edit, if any
  std::vector<std::vector<std::string>> of_axes;  // in the order of `axes`: at each of `first_rows`
};

// `axes` are text columns; `first_rows` ascend. Reads in one pass, a stretch of rows at a time.
RecordTexts read_record_texts(const store::ResultsReader& reader, std::span<const std::string> axes,
                              std::span<const int64_t> first_rows, Names& images);

}  // namespace roundtrip::analysis
