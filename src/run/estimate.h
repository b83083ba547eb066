// What a plan would take on this machine: seconds from a few timed batches, memory, disk.
#pragma once

#include "run/plan.h"

namespace roundtrip::run {

struct Estimate {
  struct Speed {
    int max_batch = 1;
    double eps_seconds = 0;       // of a row of a full batch
    double gradient_seconds = 0;  // of a row with its gradient; 0 where no trial asks for one
    double image_seconds = 0;     // to decode and score one
  };

  std::vector<Speed> benches;
  double seconds = 0;        // an upper bound where the plan's evaluations are
  int64_t memory_bytes = 0;  // resident, with the largest model at its batch
  int64_t disk_bytes = 0;    // of the results; about as much again while the run goes on
};

// Loads every model of the plan in turn and times full batches on it.
Estimate estimate_plan(const Plan& plan);

}  // namespace roundtrip::run
