// Loaded metrics: a run scores its results with them, and rescore.h a run's saved images. Pairs of many coroutines are
// scored in batches.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "columns/scores.h"
#include "engine/engine.h"
#include "metrics/metric.h"

namespace roundtrip::session {

using at::Tensor;

// Inputs of one score. A metric returns NaN if an input that it wants is undefined.
struct Pair {
  Tensor reference, test;           // [3, H, W] on [-1, 1], clamped before they are scored
  Tensor x0, x;                     // their latents [C, h, w]; required if a metric wants them
  std::string caption;              // the prompt that `test` should show
  Tensor mask = {};                 // [1, H, W] bool: where an edit may change the image
  Tensor target = {};               // [3, H, W] on [-1, 1]: the exact answer to an edit
  std::string source_caption = {};  // the prompt of `reference`
};

using Scores = std::map<std::string, double>;  // by metric, or by column

class Scorer {
 public:
  // `device` is where the pairs are.
  Scorer(const std::vector<std::string>& names, const metrics::MetricParams& params, at::Device device);
  Scorer(const Scorer&) = delete;  // its batched functions refer to it

  // Lets the engine answer score(), `rows` pairs at a time. Call before the first score(). Whole pictures are scored by
  // the metrics for which `whole` is true, by default all.
  void join(engine::Engine& engine, int rows, const std::function<bool(const metrics::MetricInfo&)>& whole = {});

  // Scores by metric, of the picture as a whole.
  engine::Task<Scores> score(Pair pair);

  // Scores by column, of one view of a picture, by the metrics that have it. kEdit requires the pair's target, and
  // views of a part its mask; kSource compares `reference` with its caption. A background that is empty, because the
  // mask covers everything, gives NaN.
  engine::Task<Scores> score(columns::View view, Pair pair);

  const std::vector<std::unique_ptr<metrics::Metric>>& metrics() const { return metrics_; }
  // Reasons why metrics return only NaN and how to fix it, one line each.
  std::vector<std::string> unavailable() const;

 private:
  struct Viewed {
    std::vector<metrics::Metric*> metrics;
    engine::BatchedFunction* function = nullptr;
  };

  std::vector<Tensor> answer(const std::vector<Tensor>& inputs) const;
  std::vector<Tensor> answer(columns::View view, const std::vector<Tensor>& inputs) const;

  at::Device device_;
  std::vector<std::unique_ptr<metrics::Metric>> metrics_;
  std::vector<metrics::Metric*> whole_;  // those that score whole pictures
  metrics::Wants wants_;                 // union over the metrics
  engine::BatchedFunction* score_ = nullptr;
  std::map<columns::View, Viewed> views_;  // those that some metric has
};

// Number of pictures of this size that the metrics and the codec process at once.
int pictures_at_once(int64_t pixels_of_picture, int most);

}  // namespace roundtrip::session
