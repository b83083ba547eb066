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

std::vector<int64_t> slice_borders(int64_t slices, int64_t rows, const std::vector<LinkedRows>& linked) {
  std::vector<int64_t> borders = {0};
  for (int64_t s = 1; s <= slices; ++s) {
    int64_t border = rows * s / slices;
    for (const LinkedRows& rows_of : linked) {
      const int64_t first = rows_of.first, last = rows_of.first + rows_of.count;
      if (first < border && border < last) border = border - first <= last - border ? first : last;
    }
    if (border > borders.back()) borders.push_back(border);
  }
  return borders;
}

void in_slices(const std::vector<int64_t>& borders,
               const std::function<void(int64_t s, int64_t from, int64_t count)>& work) {
  const int64_t slices = std::ssize(borders) - 1;
  if (slices == 1) return work(0, borders[0], borders[1]);
  const at::ThreadLocalState caller;
  at::parallel_for(0, slices, 1, [&](int64_t begin, int64_t end) {
    const at::ThreadLocalStateGuard as_caller(caller);
    for (int64_t s = begin; s < end; ++s) {
      work(s, borders[s], borders[s + 1] - borders[s]);
    }
  });
}

}  // namespace roundtrip::diffusion
