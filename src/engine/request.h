// The rows that a coroutine asks of a network, and the cost of the answer.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "diffusion/denoiser.h"

namespace roundtrip::engine {

using at::Tensor;
using diffusion::AttentionPlan;
using diffusion::Conditioning;

// One row of a network evaluation. A constructor, because g++ 12 destroys an aggregate temporary inside `co_await`
// twice.
struct Row {
  Row(Tensor x, double t, Conditioning conditioning) : x(std::move(x)), t(t), conditioning(std::move(conditioning)) {}

  Tensor x;  // [C, H, W]
  double t;
  Conditioning conditioning;  // tokens [L, D]
};

// The answer to a request.
struct Answer {
  std::vector<Tensor> out;  // R predictions [C, H, W]
  diffusion::Seen seen;     // by its plan
};

// The cost of a stage of a record, as if it had run alone: the rows that it asked for, shared work counted in full.
// Seconds are its rows' shares of their batches.
struct Cost {
  int64_t rows = 0;       // network evaluations, forward
  int64_t grad_rows = 0;  // and backward
  double seconds = 0;
  double batch_rows_sum = 0;  // over rows, the size of the batch each rode in

  // Charges R rows of a batch of `batch_rows` that took `batch_seconds`.
  void charge(int64_t R, int64_t batch_rows, double batch_seconds) {
    rows += R;
    seconds += batch_seconds * static_cast<double>(R) / static_cast<double>(batch_rows);
    batch_rows_sum += static_cast<double>(R * batch_rows);
  }

  Cost& operator+=(const Cost& other) {
    rows += other.rows;
    grad_rows += other.grad_rows;
    seconds += other.seconds;
    batch_rows_sum += other.batch_rows_sum;
    return *this;
  }
};

}  // namespace roundtrip::engine
