#include "engine/vjp_queue.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/stopwatch.h"
#include "diffusion/slices.h"
#include "engine/batch.h"

namespace roundtrip::engine {
namespace {

VjpRequest& request_of(Pending* pending) { return static_cast<VjpRequest&>(*pending); }

// The request's cotangents; zeros, and the request's error, where it cannot make them: the batch goes on without it.
std::vector<Tensor> cotangents_of(VjpRequest& request) {
  try {
    std::vector<Tensor> cotangents = request.cotangent(request.answer.out);
    check(cotangents.size() == request.answer.out.size(), "a cotangent for each prediction");
    return cotangents;
  } catch (...) {
    request.error = std::current_exception();
  }
  std::vector<Tensor> zeros;
  for (const Tensor& row : request.answer.out) zeros.push_back(at::zeros_like(row));
  return zeros;
}

}  // namespace

VjpRequest::VjpRequest(std::vector<Row> rows, Tensor wrt, Cotangent cotangent, Cost& cost)
    : Pending{.rows = static_cast<int64_t>(rows.size())},
      asked(std::move(rows)),
      wrt(std::move(wrt)),
      cotangent(std::move(cotangent)),
      cost(&cost) {
  check(reads_tokens() || reads_x(), "the tensor to differentiate is the tokens or the x of some row");
  bucket = bucket_of(asked.front());
}

bool VjpRequest::reads_tokens() const {
  return std::ranges::any_of(asked, [&](const Row& row) { return row.conditioning.tokens.is_same(wrt); });
}

bool VjpRequest::reads_x() const {
  return std::ranges::any_of(asked, [&](const Row& row) { return row.x.is_same(wrt); });
}

void VjpQueue::evaluate(Requests batch) {
  const Stopwatch stopwatch;
  const int64_t requests = std::ssize(batch);
  const at::Device device = request_of(batch.front()).asked.front().x.device();
  const int64_t slices = policy_.fixed_shape ? 1 : diffusion::slices_that_pay(requests, device);
  diffusion::in_slices(slices, requests,
                       [&](int64_t, int64_t from, int64_t n) { differentiate(batch.subspan(from, n)); });

  const double seconds = stopwatch.seconds();
  int64_t count = 0;
  for (const Pending* request : batch) count += request->rows;
  BatchQueue::count(count, padded_rows(count), seconds);
  statistics_.grad_rows += count;
  for (Pending* pending : batch) {
    Cost& cost = *request_of(pending).cost;
    cost.charge(pending->rows, count, seconds);
    cost.grad_rows += pending->rows;
  }
}

void VjpQueue::differentiate(Requests requests) {
  std::vector<const Row*> rows;
  bool tokens = policy_.fixed_shape, latents = policy_.fixed_shape;  // both: a fixed shape is fixed arithmetic too
  for (Pending* pending : requests) {
    const VjpRequest& request = request_of(pending);
    for (const Row& row : request.asked) rows.push_back(&row);
    tokens |= request.reads_tokens();
    latents |= request.reads_x();
  }
  const int64_t count = std::ssize(rows);
  const int64_t padded = padded_rows(count);
  Batch inputs;
  {
    const at::NoGradGuard no_grad;
    inputs = make_batch(rows, padded);
  }
  tokens = tokens && inputs.conditioning.tokens.defined();
  if (latents) inputs.x.requires_grad_(true);
  if (tokens) inputs.conditioning.tokens.requires_grad_(true);
  Tensor out;
  {
    const at::AutoGradMode grad(true);
    out = denoiser_.out(inputs);
  }
  const std::vector<Tensor> predictions = out.detach().unbind(0);
  const std::vector<bool> bad = non_finite_rows(out.detach(), count);

  const at::NoGradGuard no_grad;
  std::vector<Tensor> cotangents;
  auto prediction = predictions.begin();
  for (Pending* pending : requests) {
    VjpRequest& request = request_of(pending);
    request.answer.out.assign(prediction, prediction + request.rows);
    prediction += request.rows;
    for (Tensor& cotangent : cotangents_of(request)) cotangents.push_back(cotangent);
  }
  while (static_cast<int64_t>(cotangents.size()) < padded) cotangents.push_back(at::zeros_like(cotangents[0]));

  std::vector<Tensor> watched;
  if (latents) watched.push_back(inputs.x);
  if (tokens) watched.push_back(inputs.conditioning.tokens);
  const std::vector<Tensor> gradients =
      torch::autograd::grad({out}, watched, {at::stack(cotangents)}, std::nullopt, false, /*allow_unused=*/true);
  const Tensor x_gradient = latents ? gradients.front() : Tensor();
  const Tensor tokens_gradient = tokens ? gradients.back() : Tensor();

  int64_t k = 0;
  for (Pending* pending : requests) {
    VjpRequest& request = request_of(pending);
    Tensor gradient = at::zeros_like(request.wrt);
    for (const Row& row : request.asked) {
      if (bad[k] && !request.error) request.error = non_finite_error(out_name(denoiser_.predicts()), row.t);
      if (row.x.is_same(request.wrt) && x_gradient.defined()) gradient += x_gradient[k];
      if (row.conditioning.tokens.is_same(request.wrt) && tokens_gradient.defined()) gradient += tokens_gradient[k];
      ++k;
    }
    if (!request.error && !at::isfinite(gradient).all().item<bool>()) {
      request.error = non_finite_error("the gradient of the loss", request.asked.front().t);
    }
    request.answer.gradient = std::move(gradient);
  }
}

}  // namespace roundtrip::engine
