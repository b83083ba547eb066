// The home of modules: the folder in which metrics look for a TorchScript module that no config names.
//
// It is $ROUNDTRIP_METRICS, else $XDG_DATA_HOME/roundtrip/metrics, else ~/.local/share/roundtrip/metrics (the XDG Base
// Directory Specification). scripts/get_metric writes modules there, under names such as lpips-squeeze.pt.
#pragma once

#include <filesystem>

#include "metrics/metric.h"

namespace roundtrip::metrics {

// Empty if none of the three variables is set.
std::filesystem::path home_of_modules();

// Returns the file that the metric reads: the section's `path`, whether or not that file exists, or else the module in
// the home. Empty if the home has none. Throws kType for parameters of the wrong type or range.
std::filesystem::path module_file(const MetricInfo& info, const config::Params& params);

}  // namespace roundtrip::metrics
