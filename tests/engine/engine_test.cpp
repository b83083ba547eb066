#include "engine/engine.h"

#include <set>

#include <gtest/gtest.h>

#include "engine/out_of_memory.h"
#include "engine/self_check.h"
#include "support/closed_form.h"

namespace roundtrip::engine {
namespace {

using testing::ConditionedDenoiser;

Conditioning tokens(double value) { return {.tokens = at::full({2, 3}, value, at::kDouble)}; }
Tensor latent(double value) { return at::full({1, 2, 2}, value, at::kDouble); }

// Asks `steps` times for `rows_per_step` rows, feeding each answer back.
Task<void> walker(Engine& engine, Tensor x, int steps, int rows_per_step, Cost& cost, Tensor& result) {
  for (int k = 0; k < steps; ++k) {
    std::vector<Row> rows;
    for (int r = 0; r < rows_per_step; ++r) rows.emplace_back(x, 10 * k, tokens(0.1 * r));
    const Answer answer = co_await engine.out(std::move(rows), cost);
    const std::vector<Tensor>& eps = answer.out;
    for (const Tensor& each : eps) x = x + 0.1 * each;
  }
  result = x;
}

Engine::Source source_of(std::vector<Task<void>>& tasks) {
  return [&tasks, next = size_t{0}]() mutable -> std::optional<Task<void>> {
    if (next == tasks.size()) return std::nullopt;
    return std::move(tasks[next++]);
  };
}

struct Walk {
  std::vector<Tensor> results;
  std::vector<Cost> costs;
};

Walk walk_together(ConditionedDenoiser& denoiser, EngineOptions options, int walkers) {
  Engine engine(denoiser, options);
  Walk walk{std::vector<Tensor>(walkers), std::vector<Cost>(walkers)};
  std::vector<Task<void>> tasks;
  for (int k = 0; k < walkers; ++k) {
    tasks.push_back(walker(engine, latent(0.1 * k), 3 + k % 4, 1 + k % 2, walk.costs[k], walk.results[k]));
  }
  EXPECT_TRUE(engine.run(source_of(tasks)));
  return walk;
}

TEST(Engine, AnswersDoNotDependOnWhoRidesAlong) {
  ConditionedDenoiser denoiser;
  const Walk together = walk_together(denoiser, {.batch = {.max_batch = 8}, .max_live = 6}, 11);
  const Walk alone = walk_together(denoiser, {.batch = {.max_batch = 1}, .max_live = 1}, 11);
  for (size_t k = 0; k < together.results.size(); ++k) {
    EXPECT_TRUE(at::allclose(together.results[k], alone.results[k], 1e-12, 1e-12)) << k;
  }
}

TEST(Engine, ChargesEachRecordItsOwnRows) {
  ConditionedDenoiser denoiser;
  const Walk walk = walk_together(denoiser, {.batch = {.max_batch = 8}, .max_live = 6}, 11);
  int64_t charged = 0;
  for (int k = 0; k < 11; ++k) {
    EXPECT_EQ(walk.costs[k].rows, (3 + k % 4) * (1 + k % 2));
    charged += walk.costs[k].rows;
  }
  EXPECT_EQ(charged, denoiser.rows);
}

TEST(Engine, FillsItsBatches) {
  ConditionedDenoiser denoiser;
  walk_together(denoiser, {.batch = {.max_batch = 8}, .max_live = 64}, 256);
  const double filled = static_cast<double>(denoiser.rows) / (8.0 * denoiser.batches);
  EXPECT_GT(filled, 0.95);
}

TEST(Engine, StrictBatchesAllHaveOneShape) {
  ConditionedDenoiser denoiser;
  walk_together(denoiser, {.batch = {.max_batch = 8, .fixed_shape = true}, .max_live = 3}, 5);
  for (const int64_t size : denoiser.sizes) EXPECT_EQ(size, 8);
}

TEST(Engine, ANonFiniteRowEndsItsOwnRecordOnly) {
  ConditionedDenoiser denoiser;
  Engine engine(denoiser, {.batch = {.max_batch = 4}, .max_live = 4});
  std::vector<Tensor> results(3);
  std::vector<std::string> errors(3);
  Cost cost;
  const auto guarded = [&](int k, double start) -> Task<void> {
    try {
      Task<void> inner = walker(engine, latent(start), 2, 1, cost, results[k]);
      co_await inner;
    } catch (const Error& error) {
      errors[k] = error.message();
    }
  };
  std::vector<Task<void>> tasks;
  tasks.push_back(guarded(0, 0.5));
  tasks.push_back(guarded(1, std::numeric_limits<double>::quiet_NaN()));
  tasks.push_back(guarded(2, 0.25));
  EXPECT_TRUE(engine.run(source_of(tasks)));
  EXPECT_TRUE(results[0].defined() && results[2].defined());
  EXPECT_FALSE(results[1].defined());
  EXPECT_EQ(errors[1], "eps at t=0 is not finite");
}

TEST(Engine, AnExceptionOfTheNetworkReachesEveryRowOfTheBatch) {
  struct Broken : diffusion::Denoiser {
    Tensor out(const diffusion::Batch&) override { throw std::runtime_error("no device"); }
  } broken;
  Engine engine(broken, {});
  Cost cost;
  Tensor result;
  std::vector<Task<void>> tasks;
  tasks.push_back(walker(engine, latent(0), 1, 1, cost, result));
  EXPECT_THROW(engine.run(source_of(tasks)), std::runtime_error);
}

// Refuses batches above a size, as a device without memory does.
struct SmallDevice : ConditionedDenoiser {
  int64_t limit = 4;
  Tensor out(const diffusion::Batch& batch) override {
    if (batch.x.size(0) > limit) throw std::bad_alloc();
    return ConditionedDenoiser::out(batch);
  }
};

TEST(Engine, OutOfMemoryHalvesTheBatchUnderFast) {
  SmallDevice denoiser;
  const Walk walk = walk_together(denoiser, {.batch = {.max_batch = 16}, .max_live = 32}, 20);
  for (const Tensor& result : walk.results) EXPECT_TRUE(result.defined());
  for (const int64_t size : denoiser.sizes) EXPECT_LE(size, 4);
}

// A module of a metric reports a full device by ErrorKind::kOutOfMemory.
TEST(Engine, OutOfMemoryOfABatchedFunctionHalvesItsBatch) {
  ConditionedDenoiser denoiser;
  Engine engine(denoiser, {.batch = {.max_batch = 8}, .max_live = 8});
  int64_t largest = 0;
  BatchedFunction& score = engine.add_function("score", [&](const std::vector<Tensor>& inputs) {
    if (inputs[0].size(0) > 2) throw Error(ErrorKind::kOutOfMemory, "lpips.pt: failed on images [8, 3, 64, 64]");
    largest = std::max(largest, inputs[0].size(0));
    return inputs;
  });
  int answered = 0;
  const auto one = [&]() -> Task<void> {
    std::vector<Tensor> inputs = {at::zeros({1})};
    co_await score(std::move(inputs));
    ++answered;
  };
  std::vector<Task<void>> tasks;
  for (int k = 0; k < 8; ++k) tasks.push_back(one());
  EXPECT_TRUE(engine.run(source_of(tasks)));
  EXPECT_EQ(answered, 8);
  EXPECT_EQ(largest, 2);
}

TEST(Engine, KnowsEverySpellingOfOutOfMemory) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_TRUE(is_out_of_memory(Error(ErrorKind::kOutOfMemory, "lpips.pt: failed")));
  EXPECT_TRUE(is_out_of_memory(std::runtime_error("DefaultCPUAllocator: not enough memory: you tried to allocate")));
  EXPECT_TRUE(is_out_of_memory(std::runtime_error("RuntimeError: CUDA out of memory.")));  // through TorchScript
  EXPECT_FALSE(is_out_of_memory(Error(ErrorKind::kInput, "lpips.pt: failed on images")));
}

TEST(Engine, OutOfMemoryIsAFailureUnderStrict) {
  SmallDevice denoiser;
  Engine engine(denoiser, {.batch = {.max_batch = 16, .fixed_shape = true}});
  Cost cost;
  Tensor result;
  std::vector<Task<void>> tasks;
  tasks.push_back(walker(engine, latent(0), 1, 1, cost, result));
  EXPECT_THROW(engine.run(source_of(tasks)), std::bad_alloc);
}

TEST(Engine, AStoppedRunDropsWhatIsInFlight) {
  ConditionedDenoiser denoiser;
  Engine engine(denoiser, {.batch = {.max_batch = 2}, .max_live = 4});
  std::vector<Tensor> results(6);
  std::vector<Cost> costs(6);
  std::vector<Task<void>> tasks;
  for (int k = 0; k < 6; ++k) tasks.push_back(walker(engine, latent(k), 50, 1, costs[k], results[k]));
  EXPECT_FALSE(engine.run(source_of(tasks), [&] { return denoiser.batches >= 5; }));
  EXPECT_EQ(denoiser.batches, 5);
}

TEST(Engine, LatentsOfDifferentSizesRideInBatchesOfTheirOwn) {
  ConditionedDenoiser denoiser;
  Engine engine(denoiser, {.batch = {.max_batch = 8}, .max_live = 8});
  std::vector<Tensor> results(4);
  Cost cost;
  std::vector<Task<void>> tasks;
  for (int k = 0; k < 4; ++k) {
    const Tensor x = at::zeros({1, 2 + k % 2, 2}, at::kDouble);
    tasks.push_back(walker(engine, x, 2, 1, cost, results[k]));
  }
  EXPECT_TRUE(engine.run(source_of(tasks)));
  for (int k = 0; k < 4; ++k) EXPECT_EQ(results[k].size(1), 2 + k % 2);
}

TEST(BatchedFunctions, AnswerRowsInBatches) {
  ConditionedDenoiser denoiser;
  Engine engine(denoiser, {.batch = {.max_batch = 4}, .max_live = 16});
  std::vector<int64_t> sizes;
  BatchedFunction& sum = engine.add_function("sum", [&](const std::vector<Tensor>& inputs) {
    sizes.push_back(inputs[0].size(0));
    return std::vector<Tensor>{inputs[0].sum(1) + inputs[1].sum(1)};
  });
  std::vector<double> results(10);
  std::vector<Task<void>> tasks;
  const auto one = [&](int k) -> Task<void> {
    std::vector<Tensor> inputs = {at::full({3}, k, at::kDouble), at::ones({2}, at::kDouble)};
    const std::vector<Tensor> outputs = co_await sum(std::move(inputs));
    results[k] = outputs[0].item<double>();
  };
  for (int k = 0; k < 10; ++k) tasks.push_back(one(k));
  EXPECT_TRUE(engine.run(source_of(tasks)));
  for (int k = 0; k < 10; ++k) EXPECT_EQ(results[k], 3.0 * k + 2);
  EXPECT_EQ(sizes, (std::vector<int64_t>{4, 4, 2}));
}

TEST(SelfCheck, SeesRowsThatReadTheirNeighbours) {
  struct Leaky : ConditionedDenoiser {
    Tensor out(const diffusion::Batch& batch) override {
      return ConditionedDenoiser::out(batch) + batch.x.mean() * 1e-9;
    }
  } leaky;
  ConditionedDenoiser sound;
  const Row row(at::rand({1, 2, 2}, at::kDouble), 100, tokens(0.3));
  const std::vector<double> times = {20, 60, 100, 140};
  EXPECT_TRUE(rows_are_independent(sound, row, times, 8, false));
  EXPECT_TRUE(rows_are_independent(sound, row, times, 8, true));
  EXPECT_FALSE(rows_are_independent(leaky, row, times, 8, false));
  EXPECT_THROW(pin_strict_threads(leaky, row, times, 8), Error);
}

// A network with few training steps has no entry for other timesteps in its tables.
TEST(SelfCheck, AsksOnlyAtTheTimestepsGiven) {
  struct Listening : ConditionedDenoiser {
    Tensor out(const diffusion::Batch& batch) override {
      for (int64_t k = 0; k < batch.t.size(0); ++k) asked.insert(batch.t[k].item<double>());
      return ConditionedDenoiser::out(batch);
    }
    std::set<double> asked;
  } denoiser;
  const std::vector<double> times = {0, 5, 9};
  EXPECT_EQ(pin_strict_threads(denoiser, Row(latent(0.5), 5, tokens(0.3)), times, 8), "");
  EXPECT_EQ(denoiser.asked, (std::set<double>{0, 5, 9}));
}

}  // namespace
}  // namespace roundtrip::engine
