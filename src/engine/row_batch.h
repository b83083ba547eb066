// Rows of requests to one batch of tensors, and a check of the answers.
#pragma once

#include <memory>
#include <vector>

#include "engine/batch_queue.h"
#include "engine/request.h"

namespace roundtrip::engine {

using diffusion::Batch;

// A request for evaluations of the network.
struct RowRequest : Pending {
  RowRequest(std::vector<Row> rows, std::shared_ptr<const AttentionPlan> plan, Cost& cost);

  std::vector<Row> asked;
  std::shared_ptr<const AttentionPlan> plan;  // links the rows; null: none does
  Cost* cost;
};

// Several requests' rows in one batch.
struct RowBatch {
  Batch inputs;
  std::vector<Slots> slots;                                       // of each request
  std::vector<std::shared_ptr<const diffusion::Seen>> seen = {};  // by its plan; null without one

  int64_t padded_rows() const { return inputs.x.size(0); }
};

// Rows [padded_rows] with one's neighbours repeated where no request has placed any. Throws kType for a plan that the
// denoiser cannot carry out.
RowBatch lay_out(std::span<Pending* const> requests, std::vector<Slots> slots, int64_t padded_rows,
                 const diffusion::Denoiser& denoiser);

// So many rows, the last of them repeated up to `padded_rows`.
Batch make_batch(const std::vector<const Row*>& rows, int64_t padded_rows);

BucketKey bucket_of(const Row& row);

// True for those rows of [R, ...] that hold a NaN or an infinity.
std::vector<bool> non_finite_rows(const Tensor& values);

// kNumeric: "eps at t=501 is not finite".
std::exception_ptr non_finite_error(std::string_view quantity, double t);

}  // namespace roundtrip::engine
