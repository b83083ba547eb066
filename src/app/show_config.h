// What --help, --version, --cfg and --info print, and the config files of a run directory.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "config/launch.h"

namespace roundtrip::app {

// The text that the flags ask for instead of a run; nothing where they ask for a run. Throws kUsage for a flag that is
// understood but not available.
std::optional<std::string> shown_config(const config::Flags& flags);

// .hydra/config.yaml, .hydra/hydra.yaml and .hydra/overrides.yaml; for a sweep multirun.yaml.
void write_config_files(const config::Launch& launch, const std::filesystem::path& directory);

}  // namespace roundtrip::app
