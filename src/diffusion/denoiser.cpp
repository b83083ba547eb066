#include "diffusion/denoiser.h"

#include <algorithm>

#include "base/error.h"

namespace roundtrip::diffusion {
namespace {

Tensor stack_field(const std::vector<const Conditioning*>& rows, Tensor Conditioning::* field) {
  if (!(rows.front()->*field).defined()) {
    for (const Conditioning* row : rows) check(!(row->*field).defined(), "rows of one batch are conditioned alike");
    return {};
  }
  std::vector<Tensor> tensors;
  tensors.reserve(rows.size());
  for (const Conditioning* row : rows) tensors.push_back(row->*field);
  return at::stack(tensors);
}

Tensor rows_of(const Tensor& tensor, int64_t from, int64_t count) {
  return tensor.defined() ? tensor.narrow(0, from, count) : tensor;
}

}  // namespace

Conditioning stack(const std::vector<const Conditioning*>& rows) {
  check(!rows.empty(), "a batch has rows");
  Conditioning batch;
  for (const auto field : kConditioningFields) batch.*field = stack_field(rows, field);
  return batch;
}

Conditioning narrow(const Conditioning& batch, int64_t from, int64_t count) {
  Conditioning rows;
  for (const auto field : kConditioningFields) rows.*field = rows_of(batch.*field, from, count);
  return rows;
}

bool same_conditioning(const Conditioning& a, const Conditioning& b) {
  return std::ranges::all_of(kConditioningFields, [&](const auto field) { return (a.*field).is_same(b.*field); });
}

}  // namespace roundtrip::diffusion
