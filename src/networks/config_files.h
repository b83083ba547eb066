// The config files of a run directory, as Hydra lays them out (hydra.md 1.12).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/launch.h"

namespace roundtrip::networks {

// .hydra/config.yaml, hydra.yaml and overrides.yaml below `directory`; for a sweep multirun.yaml too, and a folder for
// each job where hydra.sweep.subdir is set. Configs keep their interpolations, so that `-cp DIR/.hydra` replays them.
void write_config_files(const config::Launch& launch, const std::filesystem::path& directory);

// The words that would run what lies in `directory` again. Throws kInput where no config files lie there.
std::vector<std::string> replay_words(const std::filesystem::path& directory);

}  // namespace roundtrip::networks
