// What a results file holds of a run's pictures: what came back, and of what, as bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "data/sample.h"
#include "rescore/run_inputs.h"
#include "store/results_reader.h"

namespace roundtrip::rescore {

// A record of which both pictures are kept.
struct KeptRecord {
  int64_t row = 0;
  RecordInputs inputs;
};

struct KeptRecords {
  std::vector<KeptRecord> records;  // by row
  int64_t failed = 0;               // others, which the run did not make
  int64_t without_picture = 0;      // and which it made and did not keep
};

KeptRecords find_kept(const store::ResultsReader& results);

struct KeptPictures {
  data::Image source, result;  // of one size
};

// Throws kInput where they are no pictures, or not of one size.
KeptPictures read_pictures(const store::ResultsReader& results, int64_t row);

}  // namespace roundtrip::rescore
