// Every config key with its value, type and meaning, for --help, --hydra-help and docs/configuration.md. Values and
// their comments come from configs/, types and ranges from the code that reads the keys.
#pragma once

#include <string>

#include "hydra/launch/flags.h"

namespace roundtrip::app {

std::string help_text(const hydra::Flags& flags);
std::string hydra_help_text(const hydra::Flags& flags);

// Returns the tables of docs/configuration.md, in Markdown.
std::string reference_markdown();

}  // namespace roundtrip::app
