#include "engine/engine.h"

#include <algorithm>

namespace roundtrip::engine {

Engine::Engine(diffusion::Denoiser& denoiser, EngineOptions options)
    : options_(options),
      eps_(denoiser, options_.batch, scheduler_),
      vjp_(denoiser, options_.batch, scheduler_),
      memo_(scheduler_) {
  check(options_.batch.max_batch >= 1 && options_.max_live >= 1, "at least one row a batch and one live record");
}

Station& Engine::add_station(std::string name, Station::Function function, int max_batch) {
  BatchPolicy& policy = station_policies_.emplace_back(options_.batch);
  if (max_batch > 0) policy.max_batch = max_batch;
  return stations_.emplace_back(std::move(name), std::move(function), policy, scheduler_);
}

Queue* Engine::next_queue(bool only_full) {
  Queue* best = nullptr;
  const auto consider = [&](Queue& queue) {
    const int64_t rows = queue.rows();
    if (rows == 0 || (only_full && !queue.full())) return;
    if (!best || rows > best->rows()) best = &queue;
  };
  for (Station& station : stations_) consider(station);
  consider(eps_);
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
  std::vector<std::pair<std::string, BatchStatistics>> all = {{"eps", eps_.statistics()}, {"vjp", vjp_.statistics()}};
  for (const Station& station : stations_) all.emplace_back(station.name(), station.statistics());
  return all;
}

bool Engine::run(const Source& source, const std::function<bool()>& stop) {
  std::list<Task<void>> live;
  bool exhausted = false;
  for (;;) {
    if (stop && stop()) return false;
    while (!scheduler_.idle()) scheduler_.resume_next();
    reap(live);
    // A full batch first: it makes work for those behind it. Then new records, and only then a batch that is not full.
    if (Queue* full = next_queue(true)) {
      full->fire();
    } else if (!exhausted && static_cast<int>(live.size()) < options_.max_live) {
      std::optional<Task<void>> task = source();
      if (!task) {
        exhausted = true;
        continue;
      }
      task->start(scheduler_);
      live.push_back(std::move(*task));
    } else if (Queue* partial = next_queue(false)) {
      partial->fire();
    } else {
      check(live.empty(), "a live record waits for something that the engine can answer");
      if (exhausted) return true;
    }
  }
}

}  // namespace roundtrip::engine
