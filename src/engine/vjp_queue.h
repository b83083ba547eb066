// Predictions and the gradient of a loss on them, for many coroutines in one forward and one backward pass.
//
// A request names its rows, the tensors to differentiate (the tokens or the x of some of its rows: the same tensor, not
// an equal one) and a function from its R predictions to R cotangents d loss / d out. A plan may link the rows and add
// a loss of its own, on what their attention sees. Weights never ask for gradients, and grad mode is on only inside a
// batch: held across a suspension it would leak into another trial.
#pragma once

#include <functional>

#include "engine/row_batch.h"

namespace roundtrip::engine {

struct OutAndGradient {
  std::vector<Tensor> out;        // R predictions [C, H, W], detached
  std::vector<Tensor> gradients;  // one of the shape of each of `wrt`, summed over the rows that share it
  Tensor plan_loss;               // of the plan's comparisons, detached; undefined without them
  const Tensor& gradient() const { return gradients.front(); }
};

// Reads nothing that another request changes: those of one batch may be called at once, each on a thread of its own.
using Cotangent = std::function<std::vector<Tensor>(const std::vector<Tensor>& out)>;

struct VjpRequest : RowRequest {
  VjpRequest(std::vector<Row> rows, std::shared_ptr<const AttentionPlan> plan, std::vector<Tensor> wrt,
             Cotangent cotangent, Cost& cost);

  bool reads_tokens() const;
  bool reads_x() const;

  std::vector<Tensor> wrt;
  Cotangent cotangent;
  OutAndGradient answer;
};

class VjpQueue : public BatchQueue {
 public:
  VjpQueue(diffusion::Denoiser& denoiser, const BatchPolicy& policy, Scheduler& scheduler)
      : BatchQueue(policy, scheduler), denoiser_(denoiser) {}

 private:
  // In slices of whole requests, each from its first layer to its gradient on one thread; a fixed shape is not cut.
  void evaluate(Requests batch) override;
  void differentiate(Requests requests);

  diffusion::Denoiser& denoiser_;
};

}  // namespace roundtrip::engine
