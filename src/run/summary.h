// The table that a run prints: one line a trial, means over its samples.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "run/plan.h"
#include "run/record_maker.h"

namespace roundtrip::run {

class Summary {
 public:
  explicit Summary(const Plan& plan) : plan_(plan), trials_(plan.trials.size()) {}

  void add(const FinishedRecord& finished);
  int64_t records() const { return records_; }
  int64_t failed() const { return failed_; }

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

  const Plan& plan_;
  std::vector<Line> trials_;
  int64_t records_ = 0, failed_ = 0;
};

}  // namespace roundtrip::run
