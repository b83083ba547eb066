// Requests that are answered in batches, whole: all rows of a request ride in one batch.
//
// A batch holds requests of one shape, packed first-fit in the order that they came. The engine fires the queue that
// has a full batch; where none has, and nothing else can go on, the fullest.
#pragma once

#include <algorithm>
#include <coroutine>
#include <deque>
#include <exception>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "base/error.h"
#include "engine/placement.h"
#include "engine/task.h"

namespace roundtrip::engine {

// How batches are made; shared by all queues of an engine.
struct BatchPolicy {
  int max_batch = 16;  // rows; a request with more of them is a batch of its own
  // Every batch has max_batch rows, padded: a row's value then depends on no neighbour. Out-of-memory is a failure.
  bool fixed_shape = false;
  int64_t parts = 1;  // that the network cuts a batch of fixed shape into, for threads
};

// Counted over a run, for the report of what was asked for and what was made.
struct BatchStatistics {
  int64_t batches = 0, rows = 0, padded_rows = 0, grad_rows = 0;
  double seconds = 0;
};

// The shape of requests that may share a batch.
using BucketKey = std::vector<int64_t>;

// A request while it waits. It lives in the awaiting coroutine's frame.
struct Pending {
  int64_t rows = 1;
  bool linked = false;  // its rows lie in one part of the batch
  BucketKey bucket = {};
  std::exception_ptr error = {};
  std::coroutine_handle<> waiting = {};  // null before it waits and after it was resumed
};

class BatchQueue {
 public:
  explicit BatchQueue(const BatchPolicy& policy, Scheduler& scheduler) : policy_(policy), scheduler_(scheduler) {}
  virtual ~BatchQueue() = default;

  void push(Pending& request);
  void withdraw(const Pending& request);  // of a coroutine that is destroyed while it waits

  int64_t rows() const;  // waiting, in the bucket that fires next
  bool full() const;     // whether a batch of them would be
  void fire();           // answers one batch
  const BatchStatistics& statistics() const { return statistics_; }

 protected:
  using Requests = std::span<Pending* const>;

  int64_t padded_rows(int64_t rows) const;  // of a batch whose last row is the rows-th
  std::vector<Slots> slots_of(Requests batch) const;
  // Adds a batch to the statistics.
  void count(int64_t rows, int64_t padded, double seconds);

  const BatchPolicy& policy_;
  BatchStatistics statistics_;

 private:
  struct Bucket {
    std::deque<Pending*> requests;
    int64_t rows = 0;
  };

  // Answers every request of the batch, or sets its error. What it throws is the error of all of them.
  virtual void evaluate(Requests batch) = 0;

  Placement placement() const { return {limit(), policy_.fixed_shape ? policy_.parts : 1}; }
  int64_t limit() const { return std::min<int64_t>(policy_.max_batch, memory_limit_); }
  std::vector<Pending*> take(Bucket& bucket) const;
  void give_back(Bucket& bucket, const std::vector<Pending*>& batch) const;

  Scheduler& scheduler_;
  std::map<BucketKey, Bucket> buckets_;
  // Under `fast`, an out-of-memory halves this and the batch is tried again.
  int64_t memory_limit_ = std::numeric_limits<int64_t>::max();
};

// Waits for the answer to one request. `Request` is a Pending with an `answer`.
template <typename Request>
class [[nodiscard]] Awaiter {
 public:
  Awaiter(BatchQueue& queue, Request request) : queue_(&queue), request_(std::move(request)) {}
  Awaiter(const Awaiter&) = delete;
  ~Awaiter() {
    if (request_.waiting) queue_->withdraw(request_);
  }

  bool await_ready() const noexcept { return request_.rows == 0; }
  void await_suspend(std::coroutine_handle<> handle) {
    request_.waiting = handle;
    queue_->push(request_);
  }
  auto await_resume() {
    request_.waiting = {};
    if (request_.error) std::rethrow_exception(request_.error);
    return std::move(request_.answer);
  }

  const Request& request() const { return request_; }

 private:
  BatchQueue* queue_;
  Request request_;
};

}  // namespace roundtrip::engine
