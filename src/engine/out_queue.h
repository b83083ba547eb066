// Predictions for the rows of many coroutines, a batch at a time.
#pragma once

#include <memory>

#include "engine/batch_queue.h"
#include "engine/request.h"

namespace roundtrip::engine {

struct OutRequest : Pending {
  OutRequest(std::vector<Row> rows, std::shared_ptr<const AttentionPlan> plan, Cost& cost);

  std::vector<Row> asked;
  std::shared_ptr<const AttentionPlan> plan;  // links the rows; null: none does
  Cost* cost;
  std::vector<Tensor> answer;  // R predictions [C, H, W]
};

class OutQueue : public BatchQueue {
 public:
  OutQueue(diffusion::Denoiser& denoiser, const BatchPolicy& policy, Scheduler& scheduler)
      : BatchQueue(policy, scheduler), denoiser_(denoiser) {}

 private:
  void evaluate(Requests batch) override;

  diffusion::Denoiser& denoiser_;
};

}  // namespace roundtrip::engine
