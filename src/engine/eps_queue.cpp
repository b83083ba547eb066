#include "engine/eps_queue.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "base/stopwatch.h"
#include "engine/batch.h"

namespace roundtrip::engine {

EpsQueue::Awaiter::~Awaiter() {
  if (!handle_ || unanswered_ == 0) return;
  for (auto& [key, bucket] : queue_->buckets_) {
    std::erase_if(bucket, [&](const Waiting& waiting) { return waiting.request == this; });
  }
}

void EpsQueue::Awaiter::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  predictions_.resize(rows_.size());
  for (size_t k = 0; k < rows_.size(); ++k) queue_->buckets_[bucket_of(rows_[k])].push_back({this, k});
}

std::vector<Tensor> EpsQueue::Awaiter::await_resume() {
  if (error_) std::rethrow_exception(error_);
  return std::move(predictions_);
}

EpsQueue::Bucket* EpsQueue::fullest() {
  Bucket* most = nullptr;
  for (auto& [key, bucket] : buckets_) {
    if (!most || bucket.size() > most->size()) most = &bucket;
  }
  return most;
}

int64_t EpsQueue::rows() const {
  const Bucket* bucket = const_cast<EpsQueue*>(this)->fullest();
  return bucket ? static_cast<int64_t>(bucket->size()) : 0;
}

void EpsQueue::fire() {
  Bucket& bucket = *fullest();
  std::vector<Waiting> batch;
  while (!bucket.empty() && static_cast<int>(batch.size()) < batch_limit()) {
    batch.push_back(bucket.front());
    bucket.pop_front();
  }
  try {
    evaluate(batch);
  } catch (const std::exception& error) {
    if (is_out_of_memory(error) && shrink_after_out_of_memory(batch.size())) {
      bucket.insert(bucket.begin(), batch.begin(), batch.end());
      return;
    }
    for (const Waiting& waiting : batch) fail(waiting, std::current_exception());
  }
}

void EpsQueue::evaluate(const std::vector<Waiting>& batch) {
  const at::NoGradGuard no_grad;
  const Stopwatch stopwatch;
  std::vector<const Row*> rows;
  for (const Waiting& waiting : batch) rows.push_back(&waiting.request->rows_[waiting.index]);
  const int64_t count = batch.size();
  const int64_t padded = policy_.fixed_shape ? policy_.max_batch : count;
  const Batch inputs = make_batch(rows, padded);
  const Tensor eps = denoiser_.eps(inputs.x, inputs.t, inputs.conditioning);
  const std::vector<bool> bad = non_finite_rows(eps, count);  // also waits for the device

  const double seconds = stopwatch.seconds();
  statistics_.batches += 1;
  statistics_.rows += count;
  statistics_.padded_rows += padded - count;
  statistics_.seconds += seconds;
  const std::vector<Tensor> predictions = eps.unbind(0);
  for (int64_t k = 0; k < count; ++k) {
    Cost& cost = *batch[k].request->cost_;
    cost.rows += 1;
    cost.seconds += seconds / count;
    cost.batch_rows_sum += count;
    if (bad[k]) {
      fail(batch[k], non_finite_error("eps", rows[k]->t));
    } else {
      answer(batch[k], predictions[k]);
    }
  }
}

void EpsQueue::answer(const Waiting& waiting, Tensor prediction) {
  waiting.request->predictions_[waiting.index] = std::move(prediction);
  settle(*waiting.request);
}

void EpsQueue::fail(const Waiting& waiting, std::exception_ptr error) {
  waiting.request->error_ = std::move(error);
  settle(*waiting.request);
}

void EpsQueue::settle(Awaiter& request) {
  if (--request.unanswered_ == 0) scheduler_.post(request.handle_);
}

}  // namespace roundtrip::engine
