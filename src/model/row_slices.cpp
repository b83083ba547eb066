#include "model/row_slices.h"

#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>
#include <c10/core/GradMode.h>

#ifndef INTRA_OP_PARALLEL
#error "at::parallel_for runs its slices one after another here: compile with OpenMP"
#endif

namespace roundtrip::model {
namespace {

constexpr int64_t kRowsPerThread = 1;  // at least

}  // namespace

at::Tensor in_row_slices(int64_t rows, at::Device device,
                         const std::function<at::Tensor(int64_t from, int64_t count)>& network) {
  const int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  const bool pays = threads > 1 && device.is_cpu() && !c10::GradMode::is_enabled() && rows >= kRowsPerThread * threads;
  if (!pays) return network(0, rows);

  std::vector<at::Tensor> slices(threads);
  const at::ThreadLocalState caller;
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    const at::ThreadLocalStateGuard as_caller(caller);
    for (int64_t s = begin; s < end; ++s) {
      const int64_t from = rows * s / threads;
      slices[s] = network(from, rows * (s + 1) / threads - from);
    }
  });
  return at::cat(slices);
}

}  // namespace roundtrip::model
