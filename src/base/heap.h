// Control over memory that the process has freed.
//
// A network frees and allocates the same large tensors in every layer. glibc maps each one over 32 MiB anew and the
// kernel zeroes it page by page: a sixth of a gradient's time at Stable Diffusion's size. Retained blocks are reused,
// and the peak is about a tenth higher. The functions do nothing on C libraries other than glibc.
#pragma once

#include <cstdint>

namespace roundtrip {

// Keeps freed memory in the process from now on. Call it before the first large allocation.
void keep_freed_memory();

// Returns to the system the retained memory that is free at this moment.
void return_freed_memory();

// Calls return_freed_memory() from time to time in a loop whose steps all need about the same memory. Objects that stay
// fragment the heap, which then grows from step to step although no step needs more. Returning memory is expensive,
// because the next step faults every page anew, so it is returned only after the heap has grown by a given amount.
class ReturnOfGaps {
 public:
  explicit ReturnOfGaps(int64_t bytes) : bytes_(bytes) {}

  // Returns freed memory if the heap has grown by `bytes` since it last did, or since the first call.
  void after_step();

 private:
  int64_t bytes_, heap_ = 0;  // the heap's size then
};

}  // namespace roundtrip
