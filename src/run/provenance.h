// Provenance of a results file: program, machine, libraries, times.
#pragma once

#include <map>
#include <string>

namespace roundtrip::run {

using Provenance = std::map<std::string, std::string>;

Provenance machine_provenance();
std::string version_line();  // "roundtrip 0.1.0 (1a2b3c4, GNU-12.2.0, LibTorch 2.13.0)"
std::string utc_now();       // ISO 8601, to the second

}  // namespace roundtrip::run
