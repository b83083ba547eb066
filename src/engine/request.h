// What a coroutine asks of a network, and what the answer cost.
#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "diffusion/denoiser.h"

namespace roundtrip::engine {

using at::Tensor;
using diffusion::Conditioning;

// One row of a network evaluation. A constructor, because g++ 12 destroys an aggregate temporary inside `co_await`
// twice.
struct Row {
  Row(Tensor x, int64_t t, Conditioning conditioning) : x(std::move(x)), t(t), conditioning(std::move(conditioning)) {}

  Tensor x;  // [C, H, W]
  int64_t t;
  Conditioning conditioning;  // tokens [L, D]
};

// What a stage of a record cost, as if it had run alone: rows that it asked for, shared work counted in full. Seconds
// are its rows' shares of their batches.
struct Cost {
  int64_t rows = 0;       // network evaluations, forward
  int64_t grad_rows = 0;  // and backward
  double seconds = 0;
  double batch_rows_sum = 0;  // over rows, the size of the batch each rode in

  Cost& operator+=(const Cost& other) {
    rows += other.rows;
    grad_rows += other.grad_rows;
    seconds += other.seconds;
    batch_rows_sum += other.batch_rows_sum;
    return *this;
  }
};

}  // namespace roundtrip::engine
