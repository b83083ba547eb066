// The table that a run prints: one line a trial, means over its samples; and what failed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/trial.h"
#include "store/results_reader.h"

namespace roundtrip::run {

struct Failure {
  size_t trial = 0;
  std::string sample, edit, error;
};

class Summary {
 public:
  // Reads what a finished or interrupted run of these trials has; they outlive it.
  Summary(const std::vector<plan::Trial>& trials, const store::ResultsReader& results);

  int64_t records() const { return records_; }
  const std::vector<Failure>& failures() const { return failures_; }  // in plan order

  // Columns: what varies over the trials, then samples, each metric, evaluations and network seconds of one image.
  // PSNR of equal images is +inf: counted apart, not averaged.
  std::string table() const;

 private:
  struct Mean {
    int64_t count = 0, infinite = 0;
    double sum = 0;
    void add(double value);
    std::string text(int digits) const;
  };
  struct Line {
    int64_t ok = 0, failed = 0;
    std::map<std::string, Mean> means;
  };

  void read(const store::ResultsReader& results, int64_t first, int64_t count);

  const std::vector<plan::Trial>& trials_;
  std::vector<Line> lines_;  // by trial
  std::vector<Failure> failures_;
  int64_t records_ = 0;
};

}  // namespace roundtrip::run
