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

// What is compared. Latents matter to metrics on latents alone, the caption to metrics on captions.
struct Pair {
  Tensor reference, test;  // [3, H, W] on [-1, 1], clamped before they are scored
  Tensor x0, x;            // their latents [C, h, w]
  std::string caption;     // what `test` is to show
};

using Scores = std::map<std::string, double>;  // by metric, or by column

class Scorer {
 public:
  // `options.device` is where the pairs are.
  Scorer(const std::vector<std::string>& names, const metrics::MetricOptions& options);
  Scorer(const Scorer&) = delete;  // its station refers to it

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
  engine::Station* station_ = nullptr;
};

// How many pictures of this size the metrics and the codec take at once.
int pictures_at_once(int64_t pixels_of_picture, int most);

}  // namespace roundtrip::session
