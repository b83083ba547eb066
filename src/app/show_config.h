// Output of --help, --version, --cfg, --info and -sc.
#pragma once

#include <optional>
#include <string>

#include "hydra/launch/flags.h"

namespace roundtrip::app {

// Returns the text that the flags request instead of a run, or nothing if they request a run. Throws kUsage for a known
// flag that is not available.
std::optional<std::string> shown_config(const hydra::Flags& flags);

}  // namespace roundtrip::app
