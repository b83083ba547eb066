// Progress display of a run: one line that rewrites itself on a terminal, plain lines elsewhere.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "base/stopwatch.h"

namespace roundtrip {

class Progress {
 public:
  // `total` counts work (network rows) and determines the ETA. Without a terminal, a line is written every
  // `plain_seconds`.
  Progress(std::FILE* out, int64_t total, double plain_seconds = 30);
  ~Progress();

  // `text` describes the progress: "records 12/7200". Cheap to call often.
  void update(int64_t done, const std::string& text);
  // Prints a separate line above the bar.
  void line(const std::string& text);
  void finish();  // leaves the last state on a line of its own

  const std::string& state() const { return last_; }  // as last updated

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
