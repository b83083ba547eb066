// Every row in one slice, whatever the counts; and what a slice may not do.
#include "diffusion/slices.h"

#include <atomic>
#include <stdexcept>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

namespace roundtrip::diffusion {
namespace {

class Slices : public ::testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(2); }
  void TearDown() override { at::set_num_threads(threads_); }

 private:
  int threads_ = at::get_num_threads();
};

TEST_F(Slices, CoverEveryRowOnceInOrder) {
  for (const int64_t rows : {1, 2, 3, 7, 16}) {
    for (int64_t slices = 1; slices <= rows; ++slices) {
      std::vector<std::pair<int64_t, int64_t>> parts(slices);
      in_slices(slice_borders(slices, rows), [&](int64_t s, int64_t from, int64_t count) { parts[s] = {from, count}; });
      int64_t next = 0;
      for (const auto& [from, count] : parts) {
        EXPECT_EQ(from, next);
        EXPECT_GT(count, 0);
        next += count;
      }
      EXPECT_EQ(next, rows);
    }
  }
}

TEST_F(Slices, PayWhereEachThreadHasARow) {
  EXPECT_EQ(slices_that_pay(1, at::kCPU), 1);
  EXPECT_EQ(slices_that_pay(2, at::kCPU), 2);
  EXPECT_EQ(slices_that_pay(7, at::kCPU), 2);
  EXPECT_EQ(slices_that_pay(7, at::kCUDA), 1);
  at::set_num_threads(1);
  EXPECT_EQ(slices_that_pay(7, at::kCPU), 1);
}

TEST_F(Slices, AreNotCutAgain) {
  std::vector<int64_t> within(2);
  in_slices(slice_borders(2, 8),
            [&](int64_t s, int64_t, int64_t count) { within[s] = slices_that_pay(count, at::kCPU); });
  EXPECT_EQ(within, (std::vector<int64_t>{1, 1}));
}

// Grad mode is each thread's own: a slice must not record what its caller does not.
TEST_F(Slices, RunAsTheirCaller) {
  const at::NoGradGuard no_grad;
  std::vector<int> recording(2, -1);
  in_slices(slice_borders(2, 2), [&](int64_t s, int64_t, int64_t) { recording[s] = at::GradMode::is_enabled(); });
  EXPECT_EQ(recording, (std::vector<int>{0, 0}));
}

TEST_F(Slices, ThrowWhatOneOfThemThrows) {
  std::atomic<int> done = 0;
  const auto work = [&](int64_t s, int64_t, int64_t) {
    if (s == 1) throw std::runtime_error("mine");
    ++done;
  };
  EXPECT_THROW(in_slices(slice_borders(2, 2), work), std::runtime_error);
  EXPECT_EQ(done, 1);
}

TEST(SliceBorders, AreEqualAndMoveToTheNearerEndOfLinkedRows) {
  const auto linked = [](int64_t first, int64_t count) { return LinkedRows{first, count, nullptr, nullptr}; };
  EXPECT_EQ(slice_borders(2, 8), (std::vector<int64_t>{0, 4, 8}));
  EXPECT_EQ(slice_borders(2, 8, {linked(1, 3), linked(4, 3)}), (std::vector<int64_t>{0, 4, 8}));
  EXPECT_EQ(slice_borders(2, 9, {linked(3, 3)}), (std::vector<int64_t>{0, 3, 9}));
  EXPECT_EQ(slice_borders(2, 9, {linked(2, 3)}), (std::vector<int64_t>{0, 5, 9}));
  EXPECT_EQ(slice_borders(3, 6, {linked(0, 6)}), (std::vector<int64_t>{0, 6}));  // one thread does them all
}

}  // namespace
}  // namespace roundtrip::diffusion
