// Where a run's time went: by queue of the engine how many batches it answered, how full they were and how long they
// took; what is left is the harness's own (reading, coroutines, writing, prompts).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace roundtrip::run {

class TimeProfile {
 public:
  // Adds what one session's engine did in `seconds`, with batches of at most `max_batch` rows.
  void add(const engine::Engine& engine, double seconds, int max_batch);

  // "time: eps 61 %, vjp 30 %, decode 3 %, score 1 %, elsewhere 5 %; batches 97 % full"; empty before the first batch.
  std::string text() const;
  // {"seconds": 12.3, "queues": {"eps": {"batches", "rows", "padded_rows", "seconds"}, ..}, "fill": 0.97}
  std::string json() const;

 private:
  double fill() const;  // of the network's batches, eps and vjp: rows over what would have fitted

  std::vector<std::pair<std::string, engine::BatchStatistics>> queues_;
  double seconds_ = 0, places_ = 0;  // places: rows that the network's batches could have held
  double rows_ = 0;                  // that they held
};

}  // namespace roundtrip::run
