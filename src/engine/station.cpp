#include "engine/station.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "base/stopwatch.h"

namespace roundtrip::engine {

Station::Awaiter::~Awaiter() {
  if (!handle_) return;
  for (auto& [key, bucket] : station_->buckets_) std::erase(bucket, this);
}

void Station::Awaiter::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  BucketKey key;
  for (const Tensor& input : inputs_) {
    key.push_back(input.dim());
    key.insert(key.end(), input.sizes().begin(), input.sizes().end());
  }
  station_->buckets_[key].push_back(this);
}

std::vector<Tensor> Station::Awaiter::await_resume() {
  handle_ = {};
  if (error_) std::rethrow_exception(error_);
  return std::move(outputs_);
}

Station::Bucket* Station::fullest() {
  const auto most = std::ranges::max_element(buckets_, {}, [](const auto& entry) { return entry.second.size(); });
  return most == buckets_.end() ? nullptr : &most->second;
}

int64_t Station::rows() const {
  const Bucket* bucket = const_cast<Station*>(this)->fullest();
  return bucket ? static_cast<int64_t>(bucket->size()) : 0;
}

void Station::fire() {
  Bucket& bucket = *fullest();
  const int64_t count = std::min<int64_t>(bucket.size(), batch_limit());
  const std::vector<Awaiter*> batch(bucket.begin(), bucket.begin() + count);
  bucket.erase(bucket.begin(), bucket.begin() + count);
  try {
    evaluate(batch);
  } catch (const std::exception& error) {
    if (is_out_of_memory(error) && shrink_after_out_of_memory(count)) {
      bucket.insert(bucket.begin(), batch.begin(), batch.end());
      return;
    }
    for (Awaiter* request : batch) request->error_ = std::current_exception();
  }
  for (Awaiter* request : batch) scheduler_.post(request->handle_);
}

void Station::evaluate(const std::vector<Awaiter*>& batch) {
  const at::NoGradGuard no_grad;
  const Stopwatch stopwatch;
  const int64_t count = batch.size();
  const int64_t padded = policy_.fixed_shape ? policy_.max_batch : count;
  std::vector<Tensor> inputs;
  for (size_t input = 0; input < batch.front()->inputs_.size(); ++input) {
    std::vector<Tensor> rows;
    for (int64_t k = 0; k < padded; ++k) rows.push_back(batch[std::min(k, count - 1)]->inputs_[input]);
    inputs.push_back(at::stack(rows));
  }
  const std::vector<Tensor> outputs = function_(inputs);
  const double seconds = stopwatch.seconds();
  statistics_.batches += 1;
  statistics_.rows += count;
  statistics_.padded_rows += padded - count;
  statistics_.seconds += seconds;
  for (int64_t k = 0; k < count; ++k) {
    batch[k]->seconds_ = seconds / count;
    for (const Tensor& output : outputs) {
      // Cloned: a view would keep the whole batch alive for as long as the row is kept.
      batch[k]->outputs_.push_back(output.defined() ? output[k].clone() : Tensor());
    }
  }
}

}  // namespace roundtrip::engine
