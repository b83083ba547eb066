#include "diffusion/slices.h"

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>

#ifndef INTRA_OP_PARALLEL
#error "at::parallel_for runs its slices one after another here: compile with OpenMP"
#endif

namespace roundtrip::diffusion {

int64_t slices_that_pay(int64_t rows, c10::Device device) {
  const int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  return device.is_cpu() && rows >= threads ? threads : 1;
}

void in_slices(int64_t slices, int64_t rows, const std::function<void(int64_t s, int64_t from, int64_t count)>& work) {
  if (slices == 1) return work(0, 0, rows);
  const at::ThreadLocalState caller;
  at::parallel_for(0, slices, 1, [&](int64_t begin, int64_t end) {
    const at::ThreadLocalStateGuard as_caller(caller);
    for (int64_t s = begin; s < end; ++s) {
      const int64_t from = rows * s / slices;
      work(s, from, rows * (s + 1) / slices - from);
    }
  });
}

}  // namespace roundtrip::diffusion
