#include "engine/row_batch.h"

#include <algorithm>

namespace roundtrip::engine {

RowRequest::RowRequest(std::vector<Row> rows, std::shared_ptr<const AttentionPlan> plan, Cost& cost)
    : Pending{.rows = static_cast<int64_t>(rows.size())},
      asked(std::move(rows)),
      plan(plan && !plan->empty() ? std::move(plan) : nullptr),  // an empty plan links nothing
      cost(&cost) {
  linked = this->plan != nullptr;
  if (!asked.empty()) bucket = bucket_of(asked.front());
}

RowBatch lay_out(std::span<Pending* const> requests, std::vector<Slots> slots, int64_t padded_rows,
                 const diffusion::Denoiser& denoiser) {
  RowBatch laid{.inputs = {}, .slots = std::move(slots)};
  std::vector<diffusion::LinkedRows> linked;
  std::vector<const Row*> rows;
  for (size_t k = 0; k < requests.size(); ++k) {
    const auto& request = static_cast<const RowRequest&>(*requests[k]);
    const Slots& places = laid.slots[k];
    rows.resize(std::max<size_t>(rows.size(), places.back() + 1), &request.asked.front());
    for (size_t r = 0; r < places.size(); ++r) rows[places[r]] = &request.asked[r];
    laid.seen.emplace_back();
    if (!request.plan) continue;
    if (!denoiser.takes_plans()) {
      throw Error(ErrorKind::kType, "this network has no attention layers that a plan could address");
    }
    linked.push_back({places.front(), request.rows, request.plan});
    laid.seen.back() = linked.back().seen;
  }
  std::ranges::sort(linked, {}, &diffusion::LinkedRows::first);
  laid.inputs = make_batch(rows, padded_rows);
  laid.inputs.linked = std::move(linked);
  return laid;
}

Batch make_batch(const std::vector<const Row*>& rows, int64_t padded_rows) {
  std::vector<Tensor> xs;
  std::vector<double> ts;
  std::vector<const Conditioning*> conditionings;
  const int64_t count = std::max<int64_t>(padded_rows, rows.size());
  for (int64_t k = 0; k < count; ++k) {
    const Row& row = *rows[std::min<size_t>(k, rows.size() - 1)];
    xs.push_back(row.x);
    ts.push_back(row.t);
    conditionings.push_back(&row.conditioning);
  }
  const Tensor x = at::stack(xs);
  const Tensor t = at::tensor(ts, at::TensorOptions(at::kDouble)).to(x.device());
  return {x, t, diffusion::stack(conditionings)};
}

BucketKey bucket_of(const Row& row) {
  BucketKey key = row.x.sizes().vec();
  for (const auto field : diffusion::kConditioningFields) {
    const Tensor& part = row.conditioning.*field;
    key.push_back(part.defined() ? part.dim() : -1);
    if (part.defined()) key.insert(key.end(), part.sizes().begin(), part.sizes().end());
  }
  return key;
}

std::vector<bool> non_finite_rows(const Tensor& values) {
  // A sum is finite unless a term is not (or it overflows, which the second look settles): one pass over the data.
  const Tensor sums = values.flatten(1).sum(1, false, at::kDouble).cpu();
  const double* sum = sums.const_data_ptr<double>();
  std::vector<bool> bad(values.size(0), false);
  for (size_t k = 0; k < bad.size(); ++k) {
    bad[k] = !std::isfinite(sum[k]) && !at::isfinite(values[static_cast<int64_t>(k)]).all().item<bool>();
  }
  return bad;
}

std::exception_ptr non_finite_error(std::string_view quantity, double t) {
  return std::make_exception_ptr(Error(ErrorKind::kNumeric, fmt::format("{} at t={:g} is not finite", quantity, t)));
}

}  // namespace roundtrip::engine
