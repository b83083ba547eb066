// Rows of requests to one batch of tensors, and a check of the answers.
#pragma once

#include <vector>

#include "engine/batch_queue.h"
#include "engine/request.h"

namespace roundtrip::engine {

using diffusion::Batch;

// Repeats the last row up to `padded_rows`.
Batch make_batch(const std::vector<const Row*>& rows, int64_t padded_rows);

BucketKey bucket_of(const Row& row);

// True for those of the first `count` rows of a batch [R, ...] that hold a NaN or an infinity.
std::vector<bool> non_finite_rows(const Tensor& values, int64_t count);

// kNumeric: "eps at t=501 is not finite".
std::exception_ptr non_finite_error(std::string_view quantity, double t);

}  // namespace roundtrip::engine
