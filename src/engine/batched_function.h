// A batched function other than the denoiser: encoding, decoding, a metric. One row of many coroutines each is answered
// together, at fixed shapes where the policy asks for them.
#pragma once

#include <functional>
#include <string>

#include <ATen/ATen.h>

#include "engine/batch_queue.h"

namespace roundtrip::engine {

using at::Tensor;

struct FunctionRequest : Pending {
  explicit FunctionRequest(std::vector<Tensor> inputs);

  std::vector<Tensor> inputs;
  std::vector<Tensor> answer;  // one row of each output
  double seconds = 0;          // this row's share of its batch
};

class BatchedFunction : public BatchQueue {
 public:
  // Takes one tensor [R, ...] per input, returns one [R, ...] per output.
  using Function = std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs)>;

  BatchedFunction(std::string name, Function function, const BatchPolicy& policy, Scheduler& scheduler)
      : BatchQueue(policy, scheduler), name_(std::move(name)), function_(std::move(function)) {}

  Awaiter<FunctionRequest> operator()(std::vector<Tensor> inputs) {
    return {*this, FunctionRequest(std::move(inputs))};
  }
  const std::string& name() const { return name_; }

 private:
  void evaluate(Requests batch) override;

  std::string name_;
  Function function_;
};

}  // namespace roundtrip::engine
