// The command line's flags as Hydra spells them (hydra.md 1.11), and the overrides, which may come before and after
// them. Subcommands are the program's: it removes their word first. So are flags that Hydra does not have (ExtraFlag).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace roundtrip::hydra {

enum class Takes { kNothing, kWord, kOptionalWord };

// A flag of the program's own. Nothing but its spelling is known here.
struct ExtraFlag {
  std::string name;  // "--resume"
  Takes takes = Takes::kNothing;
  bool is_folder = false;  // completion offers folders for its word
};

struct Flags {
  bool multirun = false;                   // -m, --multirun
  bool run = false;                        // -r, --run
  std::optional<std::string> cfg;          // -c, --cfg: job, hydra or all
  std::optional<std::string> package;      // -p, --package
  bool resolve = false;                    // --resolve
  std::optional<std::string> format;       // --format: yaml or json, of --cfg
  std::optional<std::string> info;         // -i, --info: all, config, defaults, defaults-tree, plugins, searchpath
  std::optional<std::string> config_path;  // -cp, --config-path
  std::optional<std::string> config_name;  // -cn, --config-name
  std::optional<std::string> config_dir;   // -cd, --config-dir
  bool help = false, hydra_help = false, version = false;
  std::optional<std::string> shell_completion;  // the override word: install=bash, uninstall=bash, query=bash
  std::vector<std::string> overrides;           // every other word
  std::vector<std::pair<std::string, std::string>> extra;  // extra flags as typed: name and word ("" without one)
};

// Throws kUsage for an unknown flag (with the nearest one), a flag without its value, a value outside the flag's
// choices, and modes that exclude each other.
Flags parse_flags(const std::vector<std::string>& args, const std::vector<ExtraFlag>& extra = {});

// For completion: every spelling of every flag; the words that may follow one; whether a folder follows it.
std::vector<std::string> flag_names(const std::vector<ExtraFlag>& extra = {});
std::vector<std::string> flag_choices(const std::string& name);
bool flag_takes_folder(const std::string& name, const std::vector<ExtraFlag>& extra = {});

}  // namespace roundtrip::hydra
