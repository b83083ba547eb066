// Completion of a command line (hydra.md 1.14): groups and their options, keys, values of enums and bools, flags, file
// names. The shell calls `roundtrip -sc query=bash`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hydra/launch/flags.h"
#include "hydra/launch/key_info.h"

namespace roundtrip::hydra {

// `line` is the command line up to the cursor, words separated by blanks, the program's name first. Returns whole
// words, sorted. Overrides and flags before the cursor are used where they compose.
std::vector<std::string> complete(std::string_view line, const std::vector<KeyInfo>& keys,
                                  const std::vector<std::string>& subcommands,
                                  const std::vector<ExtraFlag>& extra = {});

// The text for `eval "$(roundtrip -sc install=bash)"` that defines the bash functions, and the text that removes them.
std::string bash_completion();
std::string bash_completion_removal();

}  // namespace roundtrip::hydra
