// Queues of work that is answered in batches. The engine fires the queue that has a full batch; where none has, and
// nothing else can go on, the fullest.
#pragma once

#include <coroutine>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/request.h"
#include "engine/task.h"

namespace roundtrip::engine {

// How batches are made; shared by all queues of an engine.
struct BatchPolicy {
  int max_batch = 16;
  // Every batch has max_batch rows, padded: a row's value then depends on no neighbour. Out-of-memory is a failure.
  bool fixed_shape = false;
};

// Counted over a run, for the report of what was asked for and what was made.
struct BatchStatistics {
  int64_t batches = 0, rows = 0, padded_rows = 0, grad_rows = 0;
  double seconds = 0;
};

class Queue {
 public:
  explicit Queue(const BatchPolicy& policy, Scheduler& scheduler) : policy_(policy), scheduler_(scheduler) {}
  virtual ~Queue() = default;

  virtual int64_t rows() const = 0;  // waiting, in the bucket that fires next
  virtual void fire() = 0;           // answers one batch
  bool full() const { return rows() >= policy_.max_batch; }
  const BatchStatistics& statistics() const { return statistics_; }

 protected:
  const BatchPolicy& policy_;
  Scheduler& scheduler_;
  BatchStatistics statistics_;
  // Under `fast`, an out-of-memory halves this and the batch is tried again.
  int memory_limit_ = std::numeric_limits<int>::max();

  int batch_limit() const { return std::min(policy_.max_batch, memory_limit_); }
  // Halves the limit after `rows` did not fit; false where the failure is final.
  bool shrink_after_out_of_memory(int64_t rows);
};

// The shape of what may share a batch.
using BucketKey = std::vector<int64_t>;

// True for the allocator failures of the CPU and of CUDA.
bool is_out_of_memory(const std::exception& error);

}  // namespace roundtrip::engine
