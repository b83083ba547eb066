// The gate's other half: seconds, which compare only between runs of like machines, timed alike.
#pragma once

#include "analysis/gate/gate.h"

namespace roundtrip::analysis {

// Throws kInput naming the first difference of processor, cores, LibTorch, device or timing mode.
void require_like_machines(const Results& baseline, const Results& run);

// The median of `seconds` over all records of the cell, baseline against run. It fails where the median is beyond the
// tolerance and the Mann-Whitney test says that more than chance is behind it.
GateLine judge_timing(const Results& baseline, const Cell& before, const Results& run, const Cell& now,
                      const Tolerances& tolerances);

}  // namespace roundtrip::analysis
