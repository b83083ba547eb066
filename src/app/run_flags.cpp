#include "app/run_flags.h"

#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip::app {

const std::vector<hydra::ExtraFlag>& run_flags() {
  using hydra::Takes;
  static const std::vector<hydra::ExtraFlag> kFlags = {{"--dry-run"},
                                                       {"--resume", Takes::kOptionalWord, true},
                                                       {"--retry-failed"},
                                                       {"--fail-fast"},
                                                       {"--max-failures", Takes::kWord}};
  return kFlags;
}

RunFlags parse_run_flags(const std::vector<std::string>& words) {
  RunFlags flags{hydra::parse_flags(words, run_flags()), {}, {}, {}, {}};
  for (const auto& [name, word] : flags.extra) {
    if (name == "--dry-run") flags.dry_run = true;
    if (name == "--resume") flags.resume = word;
    if (name == "--retry-failed") flags.retry_failed = true;
    if (name == "--fail-fast") flags.max_failures = "0";
    if (name == "--max-failures") flags.max_failures = word;
  }
  if (flags.retry_failed && !flags.resume) {
    throw Error(ErrorKind::kUsage, "--retry-failed is for --resume: --resume RUN_DIR --retry-failed");
  }
  if (const auto& limit = flags.max_failures;
      limit && (limit->empty() || limit->size() > 9 || limit->find_first_not_of("0123456789") != std::string::npos)) {
    throw Error(ErrorKind::kUsage, fmt::format("--max-failures: found '{}'; expected a number of records", *limit));
  }
  return flags;
}

}  // namespace roundtrip::app
