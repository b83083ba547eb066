// A batch cut into slices of rows, each computed by one thread from its first layer to its last.
//
// Threads that share every operation wait for each other hundreds of times in one pass of a network; threads
// with rows of their own wait once, and their activations stay in their own caches. Rows of a network do not
// see each other, so only rounding tells the two apart.
#pragma once

#include <cstdint>
#include <functional>

#include <c10/core/Device.h>

namespace roundtrip::diffusion {

// One for each thread; 1 where slicing does not pay: on a GPU, within a slice, and with fewer rows than threads.
int64_t slices_that_pay(int64_t rows, c10::Device device);

// Calls `work(s, from, count)` for each slice s, rows [from, from + count). A single slice runs on the caller's thread
// with all threads to its operations. What one slice throws is thrown here.
void in_slices(int64_t slices, int64_t rows, const std::function<void(int64_t s, int64_t from, int64_t count)>& work);

}  // namespace roundtrip::diffusion
