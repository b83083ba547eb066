// Rows of a batch that take the values of other rows.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace roundtrip::model {

class RowCopies {
 public:
  void add(int64_t to, int64_t from) {
    to_.push_back(to);
    from_.push_back(from);
  }

  // Writes over `x` [N, ...], which keeps its layout; every source is read before any row is written.
  void apply(const at::Tensor& x) const {
    if (to_.empty()) return;
    const auto index = [&](const std::vector<int64_t>& rows) { return at::tensor(rows, at::kLong).to(x.device()); };
    at::Tensor(x).index_copy_(0, index(to_), x.index_select(0, index(from_)));
  }

 private:
  std::vector<int64_t> to_, from_;
};

}  // namespace roundtrip::model
