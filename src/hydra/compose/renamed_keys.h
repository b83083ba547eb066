// Config keys that had another name in earlier versions. Old command lines, config files and the configs in results
// files still work; what was typed or written by hand is accepted with one warning for each name.
//
// The program registers its old names, one object each, at start-up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hydra/override/override.h"
#include "hydra/tree/node.h"

namespace roundtrip::hydra {

struct RenamedKey {
  // Of a key or of a section; literals.
  RenamedKey(std::string_view old_name, std::string_view name);
  std::string_view old_name, name;
};

// Today's name of a key, or of a key in a section, that was renamed; nothing for all others.
std::optional<std::string> renamed(std::string_view key);

// Gives the overrides today's names. Adds a warning for each old name that is not warned of yet.
void rename_keys(std::vector<Override>& overrides, std::vector<std::string>& warnings);

// Moves what stands under old names to today's, where nothing is set there yet.
void rename_keys(Node& config, std::vector<std::string>& warnings);

}  // namespace roundtrip::hydra
