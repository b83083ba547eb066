// The command line's flags as Hydra spells them (hydra.md 1.11), apart from the overrides, on either side of which they
// may stand. Subcommands are the app's business: it takes its word off first.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace roundtrip::hydra {

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
  bool dry_run = false;                         // --dry-run: plan and stop
  std::optional<std::string> resume;            // --resume: go on in the run's directory; `extend`, or a directory
  bool retry_failed = false;                    // --retry-failed, with --resume
  std::optional<std::string> max_failures;      // --max-failures N; --fail-fast is 0
  std::vector<std::string> overrides;           // every other word
};

// Throws kUsage for an unknown flag (with the nearest one), a flag without its value, a value outside the flag's
// choices, and modes that exclude each other.
Flags parse_flags(const std::vector<std::string>& args);

// For completion: every spelling of every flag; the words that may follow one; whether a folder follows it.
std::vector<std::string> flag_names();
std::vector<std::string> flag_choices(const std::string& name);
bool flag_takes_folder(const std::string& name);

}  // namespace roundtrip::hydra
