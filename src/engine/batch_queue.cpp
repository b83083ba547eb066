#include "engine/batch_queue.h"

#include <algorithm>
#include <bit>

#include "engine/out_of_memory.h"

namespace roundtrip::engine {
namespace {

auto fullest(auto& buckets) {
  return std::ranges::max_element(buckets, {}, [](const auto& entry) { return entry.second.rows; });
}

}  // namespace

void BatchQueue::push(Pending& request) {
  Bucket& bucket = buckets_[request.bucket];
  bucket.requests.push_back(&request);
  bucket.rows += request.rows;
}

void BatchQueue::withdraw(const Pending& request) {
  const auto bucket = buckets_.find(request.bucket);
  if (bucket == buckets_.end() || std::erase(bucket->second.requests, &request) == 0) return;
  bucket->second.rows -= request.rows;
}

int64_t BatchQueue::rows() const { return buckets_.empty() ? 0 : fullest(buckets_)->second.rows; }

bool BatchQueue::full() const {
  if (rows() < limit()) return false;
  // Requests that leave a gap wait for one that fills it, unless a second batch has come together meanwhile.
  const Bucket& bucket = fullest(buckets_)->second;
  if (bucket.rows >= 2 * limit()) return true;
  Placement packed = placement();
  for (const Pending* request : bucket.requests) packed.place(request->rows, request->linked);
  return packed.full();
}

int64_t BatchQueue::padded_rows(int64_t rows) const {
  if (!policy_.fixed_shape) return rows;
  return std::max<int64_t>(policy_.max_batch, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(rows))));
}

void BatchQueue::count(int64_t rows, int64_t padded, double seconds) {
  statistics_.batches += 1;
  statistics_.rows += rows;
  statistics_.padded_rows += padded - rows;
  statistics_.seconds += seconds;
}

std::vector<Pending*> BatchQueue::take(Bucket& bucket) const {
  const int64_t limit = this->limit();
  std::vector<Pending*> batch, passed_over;
  Placement packed = placement();
  while (!bucket.requests.empty() && !packed.full() && static_cast<int64_t>(passed_over.size()) < limit) {
    Pending* request = bucket.requests.front();
    bucket.requests.pop_front();
    (packed.place(request->rows, request->linked) ? batch : passed_over).push_back(request);
  }
  bucket.requests.insert(bucket.requests.begin(), passed_over.begin(), passed_over.end());
  bucket.rows -= packed.placed();
  return batch;
}

std::vector<Slots> BatchQueue::slots_of(Requests batch) const {
  Placement packed = placement();
  std::vector<Slots> slots;
  for (const Pending* request : batch) slots.push_back(packed.place(request->rows, request->linked).value());
  return slots;
}

void BatchQueue::give_back(Bucket& bucket, const std::vector<Pending*>& batch) const {
  bucket.requests.insert(bucket.requests.begin(), batch.begin(), batch.end());
  for (const Pending* request : batch) bucket.rows += request->rows;
}

void BatchQueue::fire() {
  Bucket& bucket = fullest(buckets_)->second;
  const std::vector<Pending*> batch = take(bucket);
  try {
    evaluate(batch);
  } catch (const std::exception& error) {
    if (is_out_of_memory(error) && !policy_.fixed_shape && batch.size() > 1) {
      int64_t rows = 0;
      for (const Pending* request : batch) rows += request->rows;
      memory_limit_ = rows / 2;
      give_back(bucket, batch);
      return;
    }
    for (Pending* request : batch) request->error = std::current_exception();
  }
  for (const Pending* request : batch) scheduler_.post(request->waiting);
}

}  // namespace roundtrip::engine
