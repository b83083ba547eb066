#include "engine/batched_function.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "base/stopwatch.h"

namespace roundtrip::engine {

FunctionRequest::FunctionRequest(std::vector<Tensor> inputs) : inputs(std::move(inputs)) {
  for (const Tensor& input : this->inputs) {
    bucket.push_back(input.dim());
    bucket.insert(bucket.end(), input.sizes().begin(), input.sizes().end());
  }
}

void BatchedFunction::evaluate(Requests batch) {
  const at::NoGradGuard no_grad;
  const Stopwatch stopwatch;
  const auto request = [&](int64_t k) -> FunctionRequest& { return static_cast<FunctionRequest&>(*batch[k]); };
  const int64_t count = std::ssize(batch);
  const int64_t padded = padded_rows(count);
  std::vector<Tensor> inputs;
  for (size_t input = 0; input < request(0).inputs.size(); ++input) {
    std::vector<Tensor> rows;
    for (int64_t k = 0; k < padded; ++k) rows.push_back(request(std::min(k, count - 1)).inputs[input]);
    inputs.push_back(at::stack(rows));
  }
  const std::vector<Tensor> outputs = function_(inputs);
  const double seconds = stopwatch.seconds();
  BatchQueue::count(count, padded, seconds);
  for (int64_t k = 0; k < count; ++k) {
    request(k).seconds = seconds / static_cast<double>(count);
    for (const Tensor& output : outputs) {
      // Cloned: a view would keep the whole batch alive for as long as the row is kept.
      request(k).answer.push_back(output.defined() ? output[k].clone() : Tensor());
    }
  }
}

}  // namespace roundtrip::engine
