// The cost of a plan on a machine: seconds, memory, disk (measured by run/estimate.h).
#pragma once

#include <cstdint>
#include <vector>

namespace roundtrip::plan {

struct Estimate {
  struct Speed {
    int max_batch = 1;
    double eps_seconds = 0;       // of a row of a full batch
    double gradient_seconds = 0;  // of a row with its gradient; 0 where no trial asks for one
    double image_seconds = 0;     // to decode and score one
  };

  std::vector<Speed> sessions;
  double seconds = 0;        // an upper bound where the plan's evaluations are
  int64_t memory_bytes = 0;  // resident, with the largest model at its batch
  int64_t disk_bytes = 0;    // of the results; about as much again while the run goes on
};

}  // namespace roundtrip::plan
