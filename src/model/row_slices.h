// A batch cut into slices of rows, each computed by one thread from its first layer to its last.
//
// Threads that share every operation wait for each other hundreds of times in one pass of a network; threads
// with rows of their own wait once, and their activations stay in their own caches. Rows of a network do not
// see each other, so only rounding tells the two apart.
#pragma once

#include <cstdint>
#include <functional>

#include <ATen/ATen.h>

namespace roundtrip::model {

// `network(from, count)` gives the output [count, ...] of rows [from, from + count). It is called once for
// all rows where slicing does not pay: on a GPU, while gradients are recorded (the backward pass is one
// thread's), and for fewer than two rows a thread. Errors of a slice are the caller's.
at::Tensor in_row_slices(int64_t rows, at::Device device,
                         const std::function<at::Tensor(int64_t from, int64_t count)>& network);

}  // namespace roundtrip::model
