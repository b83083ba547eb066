// Which batches engine.max_batch=auto tries; what it chooses of them is up to the clock.
#include "engine/auto_batch.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "support/closed_form.h"

namespace roundtrip::engine {
namespace {

using Sizes = std::vector<int64_t>;
constexpr int64_t kPlenty = int64_t{1} << 40;  // bytes

// Longer than a clock can miss.
class SlowDenoiser : public testing::ConditionedDenoiser {
 public:
  Tensor out(const diffusion::Batch& batch) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(10) * batch.x.size(0));
    return ConditionedDenoiser::out(batch);
  }
};

class AutoBatch : public ::testing::Test {
 protected:
  SlowDenoiser denoiser;
  Row row{at::zeros({1, 2, 2}, at::kDouble), 40, Conditioning{}};
};

TEST_F(AutoBatch, ASlowNetworkIsAskedTwice) {
  const BatchCalibration chosen = calibrate_batch(denoiser, row, kPlenty, 64, /*long_seconds=*/1e-3);
  EXPECT_EQ(denoiser.sizes, (Sizes{1, 2}));
  EXPECT_GE(chosen.seconds_per_row, 0.01);
}

TEST_F(AutoBatch, DoublesUpToTheLimitAndMeasuresInTurns) {
  const BatchCalibration chosen = calibrate_batch(denoiser, row, kPlenty, 4, /*long_seconds=*/100);
  EXPECT_EQ(denoiser.sizes, (Sizes{1, 1, 2, 2, 4, 4, 1, 2, 4, 1, 2, 4, 1, 2, 4}));
  EXPECT_LE(chosen.max_batch, 4);
}

TEST_F(AutoBatch, OneRowIsTriedWhateverTheMemory) {
  const BatchCalibration chosen = calibrate_batch(denoiser, row, 0, 64, /*long_seconds=*/100);
  EXPECT_EQ(chosen.max_batch, 1);
}

}  // namespace
}  // namespace roundtrip::engine
