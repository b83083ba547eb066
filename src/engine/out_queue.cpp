#include "engine/out_queue.h"

#include <ATen/core/grad_mode.h>

#include "base/stopwatch.h"
#include "engine/batch.h"

namespace roundtrip::engine {

OutRequest::OutRequest(std::vector<Row> rows, std::shared_ptr<const AttentionPlan> plan, Cost& cost)
    : Pending{.rows = static_cast<int64_t>(rows.size())}, asked(std::move(rows)), plan(std::move(plan)), cost(&cost) {
  if (!asked.empty()) bucket = bucket_of(asked.front());
}

void OutQueue::evaluate(Requests batch) {
  const at::NoGradGuard no_grad;
  const Stopwatch stopwatch;
  std::vector<const Row*> rows;
  std::vector<diffusion::LinkedRows> linked;
  for (const Pending* pending : batch) {
    const auto& request = static_cast<const OutRequest&>(*pending);
    // An empty plan links nothing: the rows are those of a request without one.
    if (request.plan && !request.plan->empty()) {
      if (!denoiser_.takes_plans()) {
        throw Error(ErrorKind::kType, "this network has no attention layers that a plan could address");
      }
      linked.push_back({static_cast<int64_t>(rows.size()), request.rows, request.plan});
    }
    for (const Row& row : request.asked) rows.push_back(&row);
  }
  const int64_t count = std::ssize(rows);
  const int64_t padded = padded_rows(count);
  Batch inputs = make_batch(rows, padded);
  inputs.linked = std::move(linked);
  const Tensor out = denoiser_.out(inputs);
  const std::vector<bool> bad = non_finite_rows(out, count);  // also waits for the device
  const double seconds = stopwatch.seconds();
  BatchQueue::count(count, padded, seconds);

  const std::vector<Tensor> predictions = out.unbind(0);
  int64_t k = 0;
  for (Pending* pending : batch) {
    auto& request = static_cast<OutRequest&>(*pending);
    request.cost->charge(request.rows, count, seconds);
    for (const Row& row : request.asked) {
      if (bad[k] && !request.error) request.error = non_finite_error(out_name(denoiser_.predicts()), row.t);
      request.answer.push_back(predictions[k++]);
    }
  }
}

}  // namespace roundtrip::engine
