// Time profile of a run: for each queue of the engine the number of batches, their fill and their seconds. The rest is
// the harness itself (reading, coroutines, writing, prompts).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace roundtrip::run {

class TimeProfile {
 public:
  // Adds the work of one session's engine in `seconds`, with batches of at most `max_batch` rows.
  void add(const engine::Engine& engine, double seconds, int max_batch);

  // "time: eps 61 %, vjp 30 %, decode 3 %, score 1 %, elsewhere 5 %; batches 97 % full"; empty before the first batch.
  std::string text() const;
  // {"seconds": 12.3, "queues": {"eps": {"batches", "rows", "padded_rows", "seconds"}, ..}, "fill": 0.97}
  std::string json() const;

 private:
  double fill() const;  // fill of the network's batches, eps and vjp: rows over capacity

  std::vector<std::pair<std::string, engine::BatchStatistics>> queues_;
  double seconds_ = 0, places_ = 0;  // places: total capacity of the network's batches, in rows
  double rows_ = 0;                  // actual rows
};

}  // namespace roundtrip::run
