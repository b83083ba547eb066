#include "base/heap.h"

#include <cstdlib>  // defines __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace roundtrip {

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kNever = -1;
  constexpr int kGrowth = 64 << 20;  // bytes at a time
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, kNever);
  mallopt(M_TOP_PAD, kGrowth);
#endif
}

void return_freed_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void ReturnOfGaps::after_step() {
#ifdef __GLIBC__
  const auto heap = static_cast<int64_t>(mallinfo2().arena);
  if (heap_ > 0 && heap < heap_ + bytes_) return;
  if (heap_ > 0) return_freed_memory();
  heap_ = heap;
#endif
}

}  // namespace roundtrip
