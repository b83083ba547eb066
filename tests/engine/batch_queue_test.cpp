// Requests ride whole: how they are packed, padded, linked and retried.
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "support/closed_form.h"

namespace roundtrip::engine {
namespace {

using testing::ConditionedDenoiser;

// Notes which values of x rode in each batch.
struct Recording : ConditionedDenoiser {
  std::vector<std::vector<int>> batches_of;
  bool plans = false;
  std::vector<std::vector<int64_t>> linked_firsts;

  Tensor out(const diffusion::Batch& batch) override {
    std::vector<int> values;
    for (int64_t k = 0; k < batch.x.size(0); ++k) values.push_back(batch.x[k].flatten()[0].item<int>());
    batches_of.push_back(values);
    std::vector<int64_t> firsts;
    for (const diffusion::LinkedRows& rows : batch.linked) firsts.push_back(rows.first);
    linked_firsts.push_back(firsts);
    return ConditionedDenoiser::out(batch);
  }
  bool takes_plans() const override { return plans; }
};

// One request of `rows` rows, all with the value of `id`.
Task<void> ask(Engine& engine, int id, int rows, std::shared_ptr<const AttentionPlan> plan, Cost& cost,
               std::string& error) {
  std::vector<Row> asked;
  for (int r = 0; r < rows; ++r) asked.emplace_back(at::full({1, 2, 2}, id, at::kDouble), 10, Conditioning{});
  try {
    const Answer answered = co_await engine.out(std::move(asked), std::move(plan), cost);
    EXPECT_EQ(std::ssize(answered.out), rows);
  } catch (const std::exception& caught) {
    error = caught.what();
  }
}

struct Asked {
  int rows;
  std::shared_ptr<const AttentionPlan> plan = nullptr;
};

std::vector<std::string> run(Recording& denoiser, BatchPolicy policy, const std::vector<Asked>& requests) {
  Engine engine(denoiser, {.batch = policy, .max_live = 100});
  Cost cost;
  std::vector<std::string> errors(requests.size());
  size_t next = 0;
  engine.run([&]() -> std::optional<Task<void>> {
    if (next == requests.size()) return std::nullopt;
    const size_t k = next++;
    return ask(engine, static_cast<int>(k), requests[k].rows, requests[k].plan, cost, errors[k]);
  });
  return errors;
}

using Batches = std::vector<std::vector<int>>;

TEST(WholeRequests, ARequestIsNeverCutAndSmallerOnesFillTheGap) {
  Recording denoiser;
  run(denoiser, {.max_batch = 4}, {{3}, {2}, {1}, {3}, {1}});
  EXPECT_EQ(denoiser.batches_of, (Batches{{0, 0, 0, 2}, {1, 1, 4}, {3, 3, 3}}));
}

TEST(WholeRequests, OneThatIsLargerThanABatchIsABatchOfItsOwn) {
  Recording denoiser;
  run(denoiser, {.max_batch = 2}, {{5}, {1}, {1}});
  EXPECT_EQ(denoiser.batches_of, (Batches{{0, 0, 0, 0, 0}, {1, 2}}));
}

TEST(WholeRequests, AFixedShapeIsAPowerOfTwoForALargerRequest) {
  Recording denoiser;
  run(denoiser, {.max_batch = 2, .fixed_shape = true}, {{5}, {1}});
  ASSERT_EQ(denoiser.batches_of.size(), 2u);
  EXPECT_EQ(denoiser.batches_of[0].size(), 8u);
  EXPECT_EQ(denoiser.batches_of[1].size(), 2u);
}

TEST(WholeRequests, AnEmptyPlanLinksNothing) {
  Recording denoiser;
  const auto empty = std::make_shared<const AttentionPlan>();
  const auto errors = run(denoiser, {.max_batch = 4}, {{2, empty}, {2}});
  EXPECT_EQ(errors, (std::vector<std::string>{"", ""}));
  EXPECT_EQ(denoiser.linked_firsts, (std::vector<std::vector<int64_t>>{{}}));
}

TEST(WholeRequests, APlanTravelsWithTheRowsOfItsRequest) {
  Recording denoiser;
  denoiser.plans = true;
  AttentionPlan watching;
  diffusion::Watch& watch = watching.watches.emplace_back();
  watch.row = 1;
  watch.columns = at::ones({2});
  const auto plan = std::make_shared<const AttentionPlan>(watching);
  run(denoiser, {.max_batch = 8}, {{3}, {2, plan}, {1}, {2, plan}});
  EXPECT_EQ(denoiser.linked_firsts, (std::vector<std::vector<int64_t>>{{3, 6}}));
}

TEST(WholeRequests, ANetworkThatTakesNoPlansSaysSo) {
  Recording denoiser;
  AttentionPlan grafting;
  grafting.grafts.push_back({"up_blocks.1.resnets.1", 1, 0});
  const auto errors = run(denoiser, {.max_batch = 4}, {{2, std::make_shared<const AttentionPlan>(grafting)}});
  EXPECT_NE(errors[0].find("no attention layers"), std::string::npos) << errors[0];
}

}  // namespace
}  // namespace roundtrip::engine
