// How measures are shown. A results file says it in attributes of its columns; files of versions that wrote none are
// completed here, from the one table of metrics that there were.
#pragma once

#include "store/record.h"

namespace roundtrip::analysis {

// Leaves a column that says what it is, or that is not known, as it is.
void complete_measure(store::Column& column);

// "PSNR", "LPIPS", "network evaluations"; with its unit: "PSNR (dB)".
std::string measure_name(const store::Column& column);
std::string measure_label(const store::Column& column);

}  // namespace roundtrip::analysis
