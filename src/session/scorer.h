// Metrics ready for work: a run asks them of what it makes, and rescore.h of what a run kept. Pairs that many
// coroutines ask about are scored a batch at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "metrics/metric.h"

namespace roundtrip::session {

using at::Tensor;

// The inputs of one score. A metric scores NaN where an input that it wants is undefined.
struct Pair {
  Tensor reference, test;  // [3, H, W] on [-1, 1], clamped before they are scored
  Tensor x0, x;            // their latents [C, h, w]; needed where a metric wants them
  std::string caption;     // the prompt that `test` should show
  Tensor mask = {};        // [1, H, W] bool: where an edit may change the image
  Tensor target = {};      // [3, H, W] on [-1, 1]: the exact answer to an edit
};

using Scores = std::map<std::string, double>;  // by metric, or by column

class Scorer {
 public:
  // `device` is where the pairs are.
  Scorer(const std::vector<std::string>& names, const metrics::MetricParams& params, at::Device device);
  Scorer(const Scorer&) = delete;  // its batched function refers to it

  // Has the engine answer score(), `rows` pairs at once; before the first.
  void join(engine::Engine& engine, int rows);

  // By metric.
  engine::Task<Scores> score(Pair pair);

  const std::vector<std::unique_ptr<metrics::Metric>>& metrics() const { return metrics_; }
  // Why metrics score nothing but NaN and how to mend it, a line each.
  std::vector<std::string> unavailable() const;

 private:
  std::vector<Tensor> answer(const std::vector<Tensor>& inputs) const;

  at::Device device_;
  std::vector<std::unique_ptr<metrics::Metric>> metrics_;
  metrics::Wants wants_;  // of any metric
  engine::BatchedFunction* score_ = nullptr;
};

// How many pictures of this size the metrics and the codec take at once.
int pictures_at_once(int64_t pixels_of_picture, int most);

}  // namespace roundtrip::session
