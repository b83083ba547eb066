// Display of measures. Results files describe it in attributes of their columns. Files of versions that wrote no
// attributes are completed here, from the table of the metrics of that time.
#pragma once

#include "store/record.h"

namespace roundtrip::analysis {

// Does not change a column that describes itself or that is unknown.
void complete_measure(store::Column& column);

// "PSNR", "LPIPS", "network evaluations"; with its unit: "PSNR (dB)".
std::string measure_name(const store::Column& column);
std::string measure_label(const store::Column& column);

}  // namespace roundtrip::analysis
