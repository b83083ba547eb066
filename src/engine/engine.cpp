#include "engine/engine.h"

#include <algorithm>

namespace roundtrip::engine {

Engine::Engine(diffusion::Denoiser& denoiser, EngineOptions options)
    : options_(options),
      out_(denoiser, options_.batch, scheduler_),
      vjp_(denoiser, options_.batch, scheduler_),
      memo_(scheduler_) {
  check(options_.batch.max_batch >= 1 && options_.max_live >= 1, "at least one row a batch and one live record");
}

BatchedFunction& Engine::add_function(std::string name, BatchedFunction::Function function, int max_batch) {
  BatchPolicy& policy = function_policies_.emplace_back(options_.batch);
  if (max_batch > 0) policy.max_batch = max_batch;
  return functions_.emplace_back(std::move(name), std::move(function), policy, scheduler_);
}

BatchQueue* Engine::next_queue(bool only_full) {
  BatchQueue* best = nullptr;
  const auto consider = [&](BatchQueue& queue) {
    const int64_t rows = queue.rows();
    if (rows == 0 || (only_full && !queue.full())) return;
    if (!best || rows > best->rows()) best = &queue;
  };
  for (BatchedFunction& function : functions_) consider(function);
  consider(out_);
  consider(vjp_);
  return best;
}

void Engine::reap(std::list<Task<void>>& live) {
  for (auto task = live.begin(); task != live.end();) {
    if (!task->done()) {
      ++task;
      continue;
    }
    if (task->error()) std::rethrow_exception(task->error());
    task = live.erase(task);
  }
}

std::vector<std::pair<std::string, BatchStatistics>> Engine::statistics() const {
  std::vector<std::pair<std::string, BatchStatistics>> all = {{"eps", out_.statistics()}, {"vjp", vjp_.statistics()}};
  for (const BatchedFunction& function : functions_) {
    all.emplace_back(function.name(), function.statistics());
  }
  return all;
}

bool Engine::run(const Source& source, const std::function<bool()>& stop) {
  std::list<Task<void>> live;
  bool exhausted = false;
  for (;;) {
    if (stop && stop()) return false;
    while (!scheduler_.idle()) scheduler_.resume_next();
    reap(live);
    // Run full batches first, because they make work for others. Then admit new records. Run partial batches last.
    if (BatchQueue* full = next_queue(true)) {
      full->fire();
    } else if (!exhausted && static_cast<int>(live.size()) < options_.max_live) {
      std::optional<Task<void>> task = source();
      if (!task) {
        exhausted = true;
        continue;
      }
      task->start(scheduler_);
      live.push_back(std::move(*task));
    } else if (BatchQueue* partial = next_queue(false)) {
      partial->fire();
    } else {
      check(live.empty(), "a live record waits for something that the engine can answer");
      if (exhausted) return true;
    }
  }
}

}  // namespace roundtrip::engine
