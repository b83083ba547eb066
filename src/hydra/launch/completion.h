// What the shell may put where the cursor is (hydra.md 1.14): groups and their options, keys, values of enums and
// bools, flags, file names. The shell asks through `roundtrip -sc query=bash`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hydra/launch/key_info.h"

namespace roundtrip::hydra {

// `line` is the command line up to the cursor, words separated by blanks, the program's name first. Whole words come
// back, sorted. Overrides and flags before the cursor count as far as they compose.
std::vector<std::string> complete(std::string_view line, const std::vector<KeyInfo>& keys,
                                  const std::vector<std::string>& subcommands);

// The functions that `eval "$(roundtrip -sc install=bash)"` gives to bash, and what takes them away.
std::string bash_completion();
std::string bash_completion_removal();

}  // namespace roundtrip::hydra
