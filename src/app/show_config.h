// What --help, --version, --cfg, --info and -sc print.
#pragma once

#include <optional>
#include <string>

#include "hydra/launch/flags.h"

namespace roundtrip::app {

// The text that the flags ask for instead of a run; nothing where they ask for a run. Throws kUsage for a flag that is
// understood but not available.
std::optional<std::string> shown_config(const hydra::Flags& flags);

}  // namespace roundtrip::app
