// Pictures that a results file stores as bytes: a run's results and their sources.
#pragma once

#include <cstdint>
#include <vector>

#include "data/sample.h"
#include "rescore/run_inputs.h"
#include "store/results_reader.h"

namespace roundtrip::rescore {

// Record with both pictures.
struct KeptRecord {
  int64_t row = 0;
  RecordInputs inputs;
};

struct KeptRecords {
  std::vector<KeptRecord> records;  // by row
  int64_t failed = 0;               // failed records, not included above
  int64_t without_picture = 0;      // finished records without saved pictures
};

KeptRecords find_kept(const store::ResultsReader& results);

struct KeptPictures {
  data::Image source, result;  // of one size
};

// Throws kInput if the arrays are not pictures, or differ in size.
KeptPictures read_pictures(const store::ResultsReader& results, int64_t row);

}  // namespace roundtrip::rescore
