// Engine: runs methods that are written for one sample, in full batches.
//
// It keeps many coroutines alive, one per record, and lets them run until each waits for a network evaluation. It
// answers these requests in batches, which mix rows of any method, guidance scale, step and image. It knows nothing of
// methods, files or records.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/batched_function.h"
#include "engine/memo.h"
#include "engine/out_queue.h"
#include "engine/task.h"
#include "engine/vjp_queue.h"

namespace roundtrip::engine {

struct EngineOptions {
  BatchPolicy batch;
  int max_live = 1024;  // records in flight; reached only if fewer cannot fill a batch
};

class Engine {
 public:
  Engine(diffusion::Denoiser& denoiser, EngineOptions options);
  Engine(const Engine&) = delete;  // its queues refer to it

  // Returns a prediction for each row, in `out` of the answer. Evaluations are charged to `cost`, which must outlive
  // the wait.
  Awaiter<OutRequest> out(std::vector<Row> rows, Cost& cost) { return out(std::move(rows), nullptr, cost); }

  // Does the same with the rows linked by a plan, whose row numbers count from the first of `rows`; what it has seen is
  // in the answer too.
  Awaiter<OutRequest> out(std::vector<Row> rows, std::shared_ptr<const AttentionPlan> plan, Cost& cost) {
    return {out_, OutRequest(std::move(rows), std::move(plan), cost)};
  }

  // Returns the predictions, and the gradient of a loss on them with respect to `wrt`; see VjpQueue.
  Awaiter<VjpRequest> out_vjp(std::vector<Row> rows, Tensor wrt, Cotangent cotangent, Cost& cost) {
    return out_vjp(std::move(rows), nullptr, {std::move(wrt)}, std::move(cotangent), cost);
  }
  Awaiter<VjpRequest> out_vjp(std::vector<Row> rows, std::shared_ptr<const AttentionPlan> plan, std::vector<Tensor> wrt,
                              Cotangent cotangent, Cost& cost) {
    return {vjp_, VjpRequest(std::move(rows), std::move(plan), std::move(wrt), std::move(cotangent), cost)};
  }

  // Adds a batched function, which lives as long as the engine. `max_batch` 0 means the engine's.
  BatchedFunction& add_function(std::string name, BatchedFunction::Function function, int max_batch = 0);

  Memo& memo() { return memo_; }
  Scheduler& scheduler() { return scheduler_; }

  // Returns the next record's coroutine, or nothing if none is left.
  using Source = std::function<std::optional<Task<void>>()>;

  // Runs everything that `source` returns, admitted lazily. Each task must catch its own failure: one that escapes ends
  // the run. Returns false if `stop` became true first; tasks in flight are then dropped.
  bool run(const Source& source, const std::function<bool()>& stop = {});

  const BatchStatistics& out_statistics() const { return out_.statistics(); }
  const BatchStatistics& vjp_statistics() const { return vjp_.statistics(); }
  // Statistics of all queues: `eps`, `vjp`, and each batched function by its name.
  std::vector<std::pair<std::string, BatchStatistics>> statistics() const;

 private:
  BatchQueue* next_queue(bool only_full);
  void reap(std::list<Task<void>>& live);

  EngineOptions options_;
  Scheduler scheduler_;
  OutQueue out_;
  VjpQueue vjp_;
  std::list<BatchPolicy> function_policies_;
  std::list<BatchedFunction> functions_;
  Memo memo_;
};

}  // namespace roundtrip::engine
