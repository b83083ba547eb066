#include "engine/vjp_queue.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/stopwatch.h"
#include "diffusion/slices.h"
#include "engine/batch.h"

namespace roundtrip::engine {

VjpQueue::Awaiter::Awaiter(VjpQueue& queue, std::vector<Row> rows, Tensor wrt, Cotangent cotangent, Cost& cost)
    : queue_(&queue), rows_(std::move(rows)), wrt_(std::move(wrt)), cotangent_(std::move(cotangent)), cost_(&cost) {
  check(reads_tokens() || reads_x(), "the tensor to differentiate is the tokens or the x of some row");
}

VjpQueue::Awaiter::~Awaiter() {
  if (!handle_) return;
  for (auto& [key, bucket] : queue_->buckets_) std::erase(bucket, this);
}

bool VjpQueue::Awaiter::reads_tokens() const {
  return std::ranges::any_of(rows_, [&](const Row& row) { return row.conditioning.tokens.is_same(wrt_); });
}

bool VjpQueue::Awaiter::reads_x() const {
  return std::ranges::any_of(rows_, [&](const Row& row) { return row.x.is_same(wrt_); });
}

void VjpQueue::Awaiter::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  queue_->buckets_[bucket_of(rows_.front())].push_back(this);
}

EpsAndGradient VjpQueue::Awaiter::await_resume() {
  handle_ = {};
  if (error_) std::rethrow_exception(error_);
  return std::move(result_);
}

int64_t VjpQueue::rows_of(const Bucket& bucket) {
  int64_t rows = 0;
  for (const Awaiter* request : bucket) rows += request->rows_.size();
  return rows;
}

VjpQueue::Bucket* VjpQueue::fullest() {
  const auto most = std::ranges::max_element(buckets_, {}, [](const auto& entry) { return rows_of(entry.second); });
  return most == buckets_.end() ? nullptr : &most->second;
}

int64_t VjpQueue::rows() const {
  const Bucket* bucket = const_cast<VjpQueue*>(this)->fullest();
  return bucket ? rows_of(*bucket) : 0;
}

void VjpQueue::fire() {
  Bucket& bucket = *fullest();
  std::vector<Awaiter*> batch;
  int64_t rows = 0;
  while (!bucket.empty()) {
    rows += bucket.front()->rows_.size();
    if (!batch.empty() && rows > batch_limit()) break;
    batch.push_back(bucket.front());
    bucket.pop_front();
  }
  try {
    evaluate(batch);
  } catch (const std::exception& error) {
    if (batch.size() > 1 && is_out_of_memory(error) && shrink_after_out_of_memory(rows)) {
      bucket.insert(bucket.begin(), batch.begin(), batch.end());
      return;
    }
    for (Awaiter* request : batch) request->error_ = std::current_exception();
  }
  for (Awaiter* request : batch) scheduler_.post(request->handle_);
}

std::vector<Tensor> VjpQueue::cotangents_of(Awaiter& request, const std::vector<Tensor>& eps) {
  try {
    std::vector<Tensor> cotangents = request.cotangent_(eps);
    check(cotangents.size() == eps.size(), "a cotangent for each prediction");
    return cotangents;
  } catch (...) {  // ends this request alone; the batch goes on without it
    request.error_ = std::current_exception();
  }
  std::vector<Tensor> zeros;
  for (const Tensor& row : eps) zeros.push_back(at::zeros_like(row));
  return zeros;
}

void VjpQueue::evaluate(Requests batch) {
  const Stopwatch stopwatch;
  const auto requests = static_cast<int64_t>(batch.size());
  const at::Device device = batch.front()->rows_.front().x.device();
  const int64_t slices = policy_.fixed_shape ? 1 : diffusion::slices_that_pay(requests, device);
  diffusion::in_slices(slices, requests,
                       [&](int64_t, int64_t from, int64_t n) { differentiate(batch.subspan(from, n)); });

  const double seconds = stopwatch.seconds();
  int64_t count = 0;
  for (const Awaiter* request : batch) count += static_cast<int64_t>(request->rows_.size());
  statistics_.batches += 1;
  statistics_.rows += count;
  statistics_.grad_rows += count;
  if (policy_.fixed_shape) statistics_.padded_rows += std::max<int64_t>(policy_.max_batch - count, 0);
  statistics_.seconds += seconds;
  for (Awaiter* request : batch) {
    const auto R = static_cast<int64_t>(request->rows_.size());
    Cost& cost = *request->cost_;
    cost.rows += R;
    cost.grad_rows += R;
    cost.seconds += seconds * static_cast<double>(R) / static_cast<double>(count);
    cost.batch_rows_sum += static_cast<double>(R * count);
  }
}

void VjpQueue::differentiate(Requests requests) {
  std::vector<const Row*> rows;
  bool tokens = policy_.fixed_shape, latents = policy_.fixed_shape;  // both: a fixed shape is fixed arithmetic too
  for (const Awaiter* request : requests) {
    for (const Row& row : request->rows_) rows.push_back(&row);
    tokens |= request->reads_tokens();
    latents |= request->reads_x();
  }
  const int64_t count = static_cast<int64_t>(rows.size());
  const int64_t padded = policy_.fixed_shape ? std::max<int64_t>(policy_.max_batch, count) : count;
  Batch inputs;
  {
    const at::NoGradGuard no_grad;
    inputs = make_batch(rows, padded);
  }
  tokens = tokens && inputs.conditioning.tokens.defined();
  if (latents) inputs.x.requires_grad_(true);
  if (tokens) inputs.conditioning.tokens.requires_grad_(true);
  Tensor eps;
  {
    const at::AutoGradMode grad(true);
    eps = denoiser_.eps(inputs.x, inputs.t, inputs.conditioning);
  }
  const std::vector<Tensor> predictions = eps.detach().unbind(0);
  const std::vector<bool> bad_eps = non_finite_rows(eps.detach(), count);

  const at::NoGradGuard no_grad;
  std::vector<Tensor> cotangents;
  auto prediction = predictions.begin();
  for (Awaiter* request : requests) {
    request->result_.eps.assign(prediction, prediction + request->rows_.size());
    prediction += request->rows_.size();
    for (Tensor& cotangent : cotangents_of(*request, request->result_.eps)) cotangents.push_back(cotangent);
  }
  while (static_cast<int64_t>(cotangents.size()) < padded) cotangents.push_back(at::zeros_like(cotangents[0]));

  std::vector<Tensor> watched;
  if (latents) watched.push_back(inputs.x);
  if (tokens) watched.push_back(inputs.conditioning.tokens);
  const std::vector<Tensor> gradients =
      torch::autograd::grad({eps}, watched, {at::stack(cotangents)}, std::nullopt, false, /*allow_unused=*/true);
  const Tensor x_gradient = latents ? gradients.front() : Tensor();
  const Tensor tokens_gradient = tokens ? gradients.back() : Tensor();

  int64_t k = 0;
  for (Awaiter* request : requests) {
    Tensor gradient = at::zeros_like(request->wrt_);
    for (const Row& row : request->rows_) {
      if (bad_eps[k] && !request->error_) request->error_ = non_finite_error("eps", row.t);
      if (row.x.is_same(request->wrt_) && x_gradient.defined()) gradient += x_gradient[k];
      if (row.conditioning.tokens.is_same(request->wrt_) && tokens_gradient.defined()) gradient += tokens_gradient[k];
      ++k;
    }
    if (!request->error_ && !at::isfinite(gradient).all().item<bool>()) {
      request->error_ = non_finite_error("the gradient of the loss", request->rows_.front().t);
    }
    request->result_.gradient = std::move(gradient);
  }
}

}  // namespace roundtrip::engine
