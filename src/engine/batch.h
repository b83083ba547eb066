// Rows to one batch of tensors, and a check of what comes back.
#pragma once

#include <vector>

#include "engine/queue.h"

namespace roundtrip::engine {

struct Batch {
  Tensor x;  // [R, C, H, W]
  Tensor t;  // [R] int64
  Conditioning conditioning;
};

// Repeats the last row up to `padded_rows`.
Batch make_batch(const std::vector<const Row*>& rows, int64_t padded_rows);

BucketKey bucket_of(const Row& row);

// Which of the first `count` rows of a batch [R, ...] hold a NaN or an infinity.
std::vector<bool> non_finite_rows(const Tensor& values, int64_t count);

// kNumeric: "eps at t=501 is not finite".
std::exception_ptr non_finite_error(const char* quantity, int64_t t);

}  // namespace roundtrip::engine
