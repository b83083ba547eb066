// Options of a session: the model, the engine's settings, and the metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "metrics/metric.h"

namespace roundtrip::session {

struct ModelSettings {
  std::string path, dtype = "float32";
  std::optional<int64_t> t5_tokens = {};  // of a prompt; null: the pipeline's
  std::optional<double> shift = {};       // of a flow's levels; null: as the scheduler config says
  bool encode_sample = false;             // model.encode: sample draws from the codec's posterior, mean takes its mean
  auto operator<=>(const ModelSettings&) const = default;
};

enum class Determinism { kFast, kStrict };
enum class Timing { kAmortised, kIsolated };

struct EngineSettings {
  std::string device = "auto";
  std::optional<int64_t> threads, max_batch, max_live;  // null: chosen automatically
  int64_t memory_bytes = 0;  // limit for activations in the automatic choice; 0: half of the free memory
  Determinism determinism = Determinism::kFast;
  Timing timing = Timing::kAmortised;
  auto operator<=>(const EngineSettings&) const = default;
};

struct SessionOptions {
  ModelSettings model;
  EngineSettings engine;
  std::vector<std::string> metrics;  // union over the trials
  metrics::MetricParams metric_params;
  int height = 0, width = 0;       // of the largest images
  std::vector<double> times = {};  // some times at which the network will be evaluated, ascending; never empty

  double middle_time() const { return times.at(times.size() / 2); }
};

}  // namespace roundtrip::session
