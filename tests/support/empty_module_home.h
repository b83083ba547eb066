// Tests that include this look for modules of metrics in a folder that does not exist, not in the home of whoever runs
// them.
#pragma once

#include <cstdlib>

namespace roundtrip {

inline constexpr const char* kEmptyModuleHome = "/nonexistent/metrics";

inline const bool module_home_is_empty = ::setenv("ROUNDTRIP_METRICS", kEmptyModuleHome, /*overwrite=*/1) == 0;

}  // namespace roundtrip
