// Whether freed memory stays is seen by the pages that the kernel has to hand out again.
#include "base/heap.h"

#include <memory>
#include <sys/resource.h>

#include <gtest/gtest.h>

namespace roundtrip {
namespace {

#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
constexpr bool kGlibcsMalloc = false;
#else
constexpr bool kGlibcsMalloc = true;
#endif

// Of an allocation that is written to and freed.
int64_t pages_faulted() {
  constexpr size_t kBytes = size_t{256} << 20;
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  const std::unique_ptr<char[]> memory(new char[kBytes]);
  volatile char* bytes = memory.get();
  for (size_t k = 0; k < kBytes; k += 4096) bytes[k] = 1;
  getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

TEST(Heap, KeepsWhatIsFreedUntilItIsReturned) {
  if (!kGlibcsMalloc) GTEST_SKIP() << "not glibc's malloc";
  const int64_t by_default = pages_faulted();
  keep_freed_memory();
  pages_faulted();
  EXPECT_LT(pages_faulted(), by_default / 10);
  return_freed_memory();
  EXPECT_GT(pages_faulted(), by_default / 2);
}

TEST(Heap, GapsAreReturnedOnceTheyAreWorthIt) {
  if (!kGlibcsMalloc) GTEST_SKIP() << "not glibc's malloc";
  keep_freed_memory();
  ReturnOfGaps gaps(int64_t{128} << 20);
  gaps.after_step();
  {
    const std::unique_ptr<char[]> larger(new char[size_t{768} << 20]);  // than all before
    volatile char* used = larger.get();
    used[0] = 1;
  }
  pages_faulted();
  const int64_t kept = pages_faulted();
  gaps.after_step();
  EXPECT_GT(pages_faulted(), 10 * (kept + 1)) << "the heap has grown";
  gaps.after_step();
  EXPECT_LT(pages_faulted(), 10 * (kept + 1)) << "the heap has not grown";
}

}  // namespace
}  // namespace roundtrip
