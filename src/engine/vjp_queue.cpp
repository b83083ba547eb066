#include "engine/vjp_queue.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/stopwatch.h"
#include "diffusion/slices.h"

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

VjpRequest::VjpRequest(std::vector<Row> rows, std::shared_ptr<const AttentionPlan> plan, std::vector<Tensor> wrt,
                       Cotangent cotangent, Cost& cost)
    : RowRequest(std::move(rows), std::move(plan), cost), wrt(std::move(wrt)), cotangent(std::move(cotangent)) {
  for (const Tensor& each : this->wrt) {
    const auto is_input = [&](const Row& row) { return row.x.is_same(each) || row.conditioning.tokens.is_same(each); };
    check(std::ranges::any_of(asked, is_input), "the tensor to differentiate is the tokens or the x of some row");
  }
}

bool VjpRequest::reads_tokens() const {
  return std::ranges::any_of(asked, [&](const Row& row) {
    return std::ranges::any_of(wrt, [&](const Tensor& each) { return row.conditioning.tokens.is_same(each); });
  });
}

bool VjpRequest::reads_x() const {
  return std::ranges::any_of(asked, [&](const Row& row) {
    return std::ranges::any_of(wrt, [&](const Tensor& each) { return row.x.is_same(each); });
  });
}

void VjpQueue::evaluate(Requests batch) {
  const Stopwatch stopwatch;
  const int64_t requests = std::ssize(batch);
  const at::Device device = request_of(batch.front()).asked.front().x.device();
  const int64_t slices = policy_.fixed_shape ? 1 : diffusion::slices_that_pay(requests, device);
  diffusion::in_slices(diffusion::slice_borders(slices, requests),
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
  bool tokens = policy_.fixed_shape, latents = policy_.fixed_shape;  // both: a fixed shape is fixed arithmetic too
  for (Pending* pending : requests) {
    tokens |= request_of(pending).reads_tokens();
    latents |= request_of(pending).reads_x();
  }
  RowBatch laid;
  {
    const at::NoGradGuard no_grad;
    const std::vector<Slots> slots = slots_of(requests);
    int64_t last = 0;
    for (const Slots& places : slots) last = std::max(last, places.back() + 1);
    laid = lay_out(requests, slots, padded_rows(last), denoiser_);
  }
  Batch& inputs = laid.inputs;
  tokens = tokens && inputs.conditioning.tokens.defined();
  if (latents) inputs.x.requires_grad_(true);
  if (tokens) inputs.conditioning.tokens.requires_grad_(true);
  Tensor out;
  {
    const at::AutoGradMode grad(true);
    out = denoiser_.out(inputs);
  }
  const std::vector<Tensor> predictions = out.detach().unbind(0);
  const std::vector<bool> bad = non_finite_rows(out.detach());

  const at::NoGradGuard no_grad;
  std::vector<Tensor> cotangents(laid.padded_rows(), at::zeros_like(predictions[0]));
  std::vector<Tensor> losses = {out}, d_losses = {Tensor()};
  for (size_t k = 0; k < requests.size(); ++k) {
    VjpRequest& request = request_of(requests[k]);
    for (const int64_t slot : laid.slots[k]) request.answer.out.push_back(predictions[slot]);
    const std::vector<Tensor> of_request = cotangents_of(request);
    for (size_t r = 0; r < of_request.size(); ++r) cotangents[laid.slots[k][r]] = of_request[r];
    if (!laid.seen[k] || !laid.seen[k]->loss.defined()) continue;
    losses.push_back(laid.seen[k]->loss);
    d_losses.push_back(at::ones_like(losses.back()));
    request.answer.plan_loss = losses.back().detach();
  }
  d_losses[0] = at::stack(cotangents);

  std::vector<Tensor> watched;
  if (latents) watched.push_back(inputs.x);
  if (tokens) watched.push_back(inputs.conditioning.tokens);
  const std::vector<Tensor> gradients =
      torch::autograd::grad(losses, watched, d_losses, std::nullopt, false, /*allow_unused=*/true);
  const Tensor x_gradient = latents ? gradients.front() : Tensor();
  const Tensor tokens_gradient = tokens ? gradients.back() : Tensor();

  for (size_t k = 0; k < requests.size(); ++k) {
    VjpRequest& request = request_of(requests[k]);
    for (const Tensor& wrt : request.wrt) {
      Tensor gradient = at::zeros_like(wrt);
      for (size_t r = 0; r < request.asked.size(); ++r) {
        const Row& row = request.asked[r];
        const int64_t slot = laid.slots[k][r];
        if (bad[slot] && !request.error) {
          request.error = non_finite_error(out_name(denoiser_.predicts()), row.t);
        }
        if (row.x.is_same(wrt) && x_gradient.defined()) gradient += x_gradient[slot];
        if (row.conditioning.tokens.is_same(wrt) && tokens_gradient.defined()) gradient += tokens_gradient[slot];
      }
      if (!request.error && !at::isfinite(gradient).all().item<bool>()) {
        request.error = non_finite_error("the gradient of the loss", request.asked.front().t);
      }
      request.answer.gradients.push_back(std::move(gradient));
    }
  }
}

}  // namespace roundtrip::engine
