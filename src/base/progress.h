// What a person sees while a run goes on: one line that rewrites itself on a terminal, plain lines elsewhere.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "base/stopwatch.h"

namespace roundtrip {

class Progress {
 public:
  // `total` counts work (network rows); the ETA is taken from it. Off the terminal a line is written every
  // `plain_seconds`.
  Progress(std::FILE* out, int64_t total, double plain_seconds = 30);
  ~Progress();

  // `text` says how far: "records 12/7200". Cheap to call often.
  void update(int64_t done, const std::string& text);
  // A line of its own, above the bar.
  void line(const std::string& text);
  void finish();  // leaves the last state on a line of its own

  const std::string& state() const { return last_; }  // as it was last updated

 private:
  std::string state_of(int64_t done, const std::string& text) const;
  void clear();

  std::FILE* out_;
  int64_t total_;
  bool terminal_;
  double interval_;
  Stopwatch stopwatch_;
  double shown_at_ = 0;
  bool visible_ = false, finished_ = false;
  std::string last_;
};

}  // namespace roundtrip
