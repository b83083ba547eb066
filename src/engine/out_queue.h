// Predictions for the rows of many coroutines, a batch at a time.
#pragma once

#include "engine/row_batch.h"

namespace roundtrip::engine {

struct OutRequest : RowRequest {
  using RowRequest::RowRequest;

  Answer answer;
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
