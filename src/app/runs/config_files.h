// The config files of a run directory, as Hydra lays them out (hydra.md 1.12).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hydra/launch/launch.h"

namespace roundtrip::app {

// .hydra/config.yaml, hydra.yaml and overrides.yaml below `directory`; for a sweep multirun.yaml too, and a folder for
// each job where hydra.sweep.subdir is set. Configs keep their interpolations, so that `-cp DIR/.hydra` replays them.
void write_config_files(const hydra::Launch& launch, const std::filesystem::path& directory);

// The words that would run what lies in `directory` again, into a directory of its own; and into the same one, from the
// folder where it was called, where its relative paths hold: that becomes the current folder. Both throw kInput where
// no config files lie there.
std::vector<std::string> replay_words(const std::filesystem::path& directory);
std::vector<std::string> resume_words(const std::filesystem::path& directory);

// Makes the folder where a run was called, in which its relative paths hold, the current one; where its config files
// are gone, nothing changes.
void enter_folder_of_call(const std::filesystem::path& directory);

// A text as the value of an override, whatever it holds.
std::string quoted_value(const std::string& text);

// The flags among them that say which configs are read: -cn, -cp, -cd.
std::vector<std::string> config_flags(const hydra::Node& hydra);

}  // namespace roundtrip::app
