// Flags of `roundtrip run` that Hydra does not have: --resume, --retry-failed, --max-failures, --fail-fast, --dry-run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hydra/launch/flags.h"

namespace roundtrip::app {

struct RunFlags : hydra::Flags {
  bool dry_run = false;                     // --dry-run: print the plan and stop
  std::optional<std::string> resume;        // --resume: continue in the run's directory; `extend`, or a directory
  bool retry_failed = false;                // --retry-failed, with --resume
  std::optional<std::string> max_failures;  // --max-failures N; --fail-fast is 0
};

const std::vector<hydra::ExtraFlag>& run_flags();

// Throws kUsage as hydra::parse_flags does, for --retry-failed without --resume, and for a --max-failures that is not a
// number.
RunFlags parse_run_flags(const std::vector<std::string>& words);

}  // namespace roundtrip::app
