// A run's directory seen from outside, while another process may be writing it: how far it is, what failed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace roundtrip::store {

struct Glance {
  struct Failure {
    int64_t plan_row = 0, trial = 0;
    std::string sample, edit, error;
  };

  bool being_written = false;  // by a process that lives
  bool finished = false;       // results.h5 is there, and nothing that is still to go into it
  int64_t planned = 0, written = 0;
  std::vector<Failure> failures;                  // in plan order
  std::map<std::string, std::string> provenance;  // as far as it is known by now
  std::string progress;                           // what the writer showed last; empty where it never did
  double progress_age = 0;                        // seconds since then
};

// Changes nothing in the directory. Throws kInput where there is no run.
Glance glance_at(const std::filesystem::path& directory);

}  // namespace roundtrip::store
