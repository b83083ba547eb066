#include "run/time_profile.h"

#include <algorithm>

#include "base/json.h"

namespace roundtrip::run {

void TimeProfile::add(const engine::Engine& engine, double seconds, int max_batch) {
  seconds_ += seconds;
  for (const engine::BatchStatistics& network : {engine.out_statistics(), engine.vjp_statistics()}) {
    rows_ += static_cast<double>(network.rows);
    places_ += static_cast<double>(network.batches * max_batch);
  }
  for (const auto& [name, added] : engine.statistics()) {
    auto queue = std::ranges::find(queues_, name, [](const auto& entry) { return entry.first; });
    if (queue == queues_.end()) queue = queues_.insert(queues_.end(), {name, {}});
    engine::BatchStatistics& sum = queue->second;
    sum.batches += added.batches;
    sum.rows += added.rows;
    sum.padded_rows += added.padded_rows;
    sum.seconds += added.seconds;
  }
}

double TimeProfile::fill() const { return places_ > 0 ? rows_ / places_ : 0; }

std::string TimeProfile::text() const {
  if (places_ == 0) return {};
  std::string text = "time: ";
  double elsewhere = seconds_;
  for (const auto& [name, queue] : queues_) {
    if (queue.batches == 0) continue;
    text += fmt::format("{} {:.0f} %, ", name, 100 * queue.seconds / seconds_);
    elsewhere -= queue.seconds;
  }
  return text + fmt::format("elsewhere {:.0f} %; batches {:.0f} % full", 100 * elsewhere / seconds_, 100 * fill());
}

std::string TimeProfile::json() const {
  nlohmann::ordered_json queues = nlohmann::ordered_json::object();
  for (const auto& [name, queue] : queues_) {
    queues[name] = {{"batches", queue.batches},
                    {"rows", queue.rows},
                    {"padded_rows", queue.padded_rows},
                    {"seconds", queue.seconds}};
  }
  return nlohmann::ordered_json{{"seconds", seconds_}, {"queues", queues}, {"fill", fill()}}.dump();
}

}  // namespace roundtrip::run
