#include "engine/batch.h"

#include <algorithm>

namespace roundtrip::engine {

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
  for (const Tensor* part : {&row.conditioning.tokens, &row.conditioning.pooled, &row.conditioning.size_ids}) {
    key.push_back(part->defined() ? part->dim() : -1);
    if (part->defined()) key.insert(key.end(), part->sizes().begin(), part->sizes().end());
  }
  return key;
}

std::vector<bool> non_finite_rows(const Tensor& values, int64_t count) {
  // A sum is finite unless a term is not (or it overflows, which the second look settles): one pass over the data.
  const Tensor sums = values.narrow(0, 0, count).flatten(1).sum(1, false, at::kDouble).cpu();
  const double* sum = sums.const_data_ptr<double>();
  std::vector<bool> bad(count, false);
  for (int64_t k = 0; k < count; ++k) {
    bad[k] = !std::isfinite(sum[k]) && !at::isfinite(values[k]).all().item<bool>();
  }
  return bad;
}

std::exception_ptr non_finite_error(std::string_view quantity, double t) {
  return std::make_exception_ptr(Error(ErrorKind::kNumeric, fmt::format("{} at t={:g} is not finite", quantity, t)));
}

}  // namespace roundtrip::engine
