#include "diffusion/denoiser.h"

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

bool same_tensor(const Tensor& a, const Tensor& b) { return a.is_same(b); }

}  // namespace

Conditioning stack(const std::vector<const Conditioning*>& rows) {
  check(!rows.empty(), "a batch has rows");
  return {stack_field(rows, &Conditioning::tokens), stack_field(rows, &Conditioning::pooled),
          stack_field(rows, &Conditioning::size_ids)};
}

Conditioning narrow(const Conditioning& batch, int64_t from, int64_t count) {
  return {rows_of(batch.tokens, from, count), rows_of(batch.pooled, from, count), rows_of(batch.size_ids, from, count)};
}

bool same_conditioning(const Conditioning& a, const Conditioning& b) {
  return same_tensor(a.tokens, b.tokens) && same_tensor(a.pooled, b.pooled) && same_tensor(a.size_ids, b.size_ids);
}

}  // namespace roundtrip::diffusion
