// Timing half of the gate. Seconds compare only between runs on like machines with the same timing mode.
#pragma once

#include "analysis/gate/gate.h"

namespace roundtrip::analysis {

// Throws kInput naming the first difference of processor, cores, LibTorch, device or timing mode.
void require_like_machines(const Results& baseline, const Results& run);

// Compares the median of `seconds` over all records of the cell, baseline against run. Fails if the median is beyond
// the tolerance and the Mann-Whitney test finds the difference significant.
GateLine judge_timing(const Results& baseline, const Cell& before, const Results& run, const Cell& now,
                      const Tolerances& tolerances);

}  // namespace roundtrip::analysis
