// Slices of a batch: groups of rows, each computed by one thread from the first layer to the last.
//
// Threads that share every operation wait for each other hundreds of times in one pass of a network. Threads with rows
// of their own wait once, and their activations stay in their own caches. Rows of a network are independent, so only
// rounding differs between the two.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <c10/core/Device.h>

#include "diffusion/denoiser.h"

namespace roundtrip::diffusion {

// Returns one slice per thread; 1 if slicing does not pay: on a GPU, within a slice, with fewer rows than threads.
int64_t slices_that_pay(int64_t rows, c10::Device device);

// The borders of so many slices, 0 to `rows`, equal where nothing is linked; a border within linked rows moves to their
// nearer end, and borders that meet leave fewer slices.
std::vector<int64_t> slice_borders(int64_t slices, int64_t rows, const std::vector<LinkedRows>& linked = {});

// Calls `work(s, from, count)` for each slice s between borders, rows [from, from + count). A single slice runs on the
// caller's thread, with all threads for its operations. Rethrows what a slice throws.
void in_slices(const std::vector<int64_t>& borders,
               const std::function<void(int64_t s, int64_t from, int64_t count)>& work);

}  // namespace roundtrip::diffusion
