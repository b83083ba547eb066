// Config files of a run directory, in Hydra's layout (hydra.md 1.12).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hydra/launch/launch.h"

namespace roundtrip::app {

// Writes .hydra/config.yaml, hydra.yaml and overrides.yaml below `directory`. A sweep also gets multirun.yaml, and a
// folder for each job if hydra.sweep.subdir is set. Configs keep interpolations, so `-cp DIR/.hydra` replays them.
void write_config_files(const hydra::Launch& launch, const std::filesystem::path& directory);

// Command-line words that repeat the run in `directory` into a new directory, or resume it in the same one. The latter
// changes to the folder where the run was called, so that relative paths hold. Both throw kInput if `directory` has no
// config files.
std::vector<std::string> replay_words(const std::filesystem::path& directory);
std::vector<std::string> resume_words(const std::filesystem::path& directory);

// Changes to the folder where a run was called, so that its relative paths hold. Does nothing if its config files are
// missing.
void enter_folder_of_call(const std::filesystem::path& directory);

// Quotes any text as the value of an override.
std::string quoted_value(const std::string& text);

// Flags that select the configs of a run: -cn, -cp, -cd.
std::vector<std::string> config_flags(const hydra::Node& hydra);

}  // namespace roundtrip::app
