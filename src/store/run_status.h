// The status of a run, read from its directory while another process may be writing it: progress and failures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace roundtrip::store {

struct RunStatus {
  struct Failure {
    int64_t plan_row = 0, trial = 0;
    std::string sample, edit, error;
  };

  bool being_written = false;  // by a live process
  bool finished = false;       // results.h5 exists and is complete
  int64_t planned = 0, written = 0;
  std::vector<Failure> failures;                  // in plan order
  std::map<std::string, std::string> provenance;  // as far as known
  std::string progress;                           // the writer's last progress line, if any
  double progress_age = 0;                        // seconds since then
};

// Does not change the directory. Throws kInput where there is no run.
RunStatus read_run_status(const std::filesystem::path& directory);

}  // namespace roundtrip::store
