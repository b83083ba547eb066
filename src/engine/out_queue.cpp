#include "engine/out_queue.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "base/stopwatch.h"

namespace roundtrip::engine {

void OutQueue::evaluate(Requests batch) {
  const at::NoGradGuard no_grad;
  const Stopwatch stopwatch;
  const std::vector<Slots> slots = slots_of(batch);
  int64_t count = 0, last = 0;
  for (size_t k = 0; k < batch.size(); ++k) {
    count += batch[k]->rows;
    last = std::max(last, slots[k].back() + 1);
  }
  const RowBatch laid = lay_out(batch, slots, padded_rows(last), denoiser_);
  const Tensor out = denoiser_.out(laid.inputs);
  const std::vector<bool> bad = non_finite_rows(out);  // also waits for the device
  const double seconds = stopwatch.seconds();
  BatchQueue::count(count, laid.padded_rows(), seconds);

  const std::vector<Tensor> predictions = out.unbind(0);
  for (size_t k = 0; k < batch.size(); ++k) {
    auto& request = static_cast<OutRequest&>(*batch[k]);
    request.cost->charge(request.rows, count, seconds);
    if (laid.seen[k]) request.answer.seen = *laid.seen[k];
    for (size_t r = 0; r < request.asked.size(); ++r) {
      const int64_t slot = laid.slots[k][r];
      if (bad[slot] && !request.error) {
        request.error = non_finite_error(out_name(denoiser_.predicts()), request.asked[r].t);
      }
      request.answer.out.push_back(predictions[slot]);
    }
  }
}

}  // namespace roundtrip::engine
