#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "support/closed_form.h"

namespace roundtrip::engine {
namespace {

using testing::ConditionedDenoiser;

constexpr double kTarget = 0.2;

// d/d eps of sum((eps - target)^2)
std::vector<Tensor> squared_error_cotangent(const std::vector<Tensor>& eps) {
  std::vector<Tensor> cotangents;
  for (const Tensor& row : eps) cotangents.push_back(2 * (row - kTarget));
  return cotangents;
}

double loss_at(ConditionedDenoiser& denoiser, const Tensor& x, const Tensor& tokens) {
  const diffusion::Batch batch{x.unsqueeze(0), at::full({1}, 40, at::kDouble), {.tokens = tokens.unsqueeze(0)}};
  return (denoiser.out(batch) - kTarget).square().sum().item<double>();
}

// Central differences of the loss in one tensor.
template <typename Loss>
Tensor numeric_gradient(const Tensor& at_point, Loss loss) {
  Tensor gradient = at::zeros_like(at_point);
  constexpr double h = 1e-6;
  for (int64_t k = 0; k < at_point.numel(); ++k) {
    Tensor plus = at_point.clone(), minus = at_point.clone();
    plus.view(-1)[k] += h;
    minus.view(-1)[k] -= h;
    gradient.view(-1)[k] = (loss(plus) - loss(minus)) / (2 * h);
  }
  return gradient;
}

Task<OutAndGradient> ask(Engine& engine, std::vector<Row> rows, Tensor wrt, Cotangent cotangent, Cost& cost) {
  OutAndGradient result = co_await engine.out_vjp(std::move(rows), std::move(wrt), std::move(cotangent), cost);
  co_return result;
}

class Vjp : public ::testing::Test {
 protected:
  ConditionedDenoiser denoiser;
  Engine engine{denoiser, {.batch = {.max_batch = 8}}};
  Cost cost;
  Tensor x = at::linspace(-1, 1, 4, at::kDouble).view({1, 2, 2});
  Tensor tokens = at::linspace(-0.2, 0.3, 6, at::kDouble).view({2, 3});
};

TEST_F(Vjp, GradientOfTheTokensMatchesFiniteDifferences) {
  std::vector<Row> rows;
  rows.emplace_back(x, 40, Conditioning{.tokens = tokens});
  const auto result = testing::run_alone(engine, ask(engine, rows, tokens, squared_error_cotangent, cost));
  const Tensor expected = numeric_gradient(tokens, [&](const Tensor& each) { return loss_at(denoiser, x, each); });
  EXPECT_TRUE(at::allclose(result.gradient(), expected, 1e-6, 1e-8));
  EXPECT_EQ(cost.rows, 1);
  EXPECT_EQ(cost.grad_rows, 1);
}

TEST_F(Vjp, GradientOfTheLatentMatchesFiniteDifferences) {
  std::vector<Row> rows;
  rows.emplace_back(x, 40, Conditioning{.tokens = tokens});
  const auto result = testing::run_alone(engine, ask(engine, rows, x, squared_error_cotangent, cost));
  const Tensor expected = numeric_gradient(x, [&](const Tensor& each) { return loss_at(denoiser, each, tokens); });
  EXPECT_TRUE(at::allclose(result.gradient(), expected, 1e-6, 1e-8));
}

TEST_F(Vjp, RowsThatShareTheInputAddUpAndOthersDoNotCount) {
  const Tensor other = at::ones({2, 3}, at::kDouble);
  std::vector<Row> shared, single;
  for (int k = 0; k < 2; ++k) shared.emplace_back(x, 40, Conditioning{.tokens = tokens});
  shared.emplace_back(x, 40, Conditioning{.tokens = other});
  single.emplace_back(x, 40, Conditioning{.tokens = tokens});
  const auto both = testing::run_alone(engine, ask(engine, shared, tokens, squared_error_cotangent, cost));
  const auto one = testing::run_alone(engine, ask(engine, single, tokens, squared_error_cotangent, cost));
  EXPECT_EQ(both.out.size(), 3u);
  EXPECT_TRUE(at::allclose(both.gradient(), 2 * one.gradient()));
}

TEST_F(Vjp, NothingAsksForGradientsAfterwards) {
  std::vector<Row> rows;
  rows.emplace_back(x, 40, Conditioning{.tokens = tokens});
  const auto result = testing::run_alone(engine, ask(engine, rows, tokens, squared_error_cotangent, cost));
  EXPECT_FALSE(result.out[0].requires_grad());
  EXPECT_FALSE(result.gradient().requires_grad());
  EXPECT_FALSE(tokens.requires_grad());
  EXPECT_FALSE(x.requires_grad());
}

TEST_F(Vjp, ABatchCutForThreadsGivesEveryRequestItsOwnGradient) {
  constexpr int kRequests = 7;  // cut into 3 and 4
  const int threads = at::get_num_threads();
  std::vector<Tensor> inputs, gradients(kRequests), expected;
  for (int k = 0; k < kRequests; ++k) {
    inputs.push_back(tokens + 0.1 * k);
    std::vector<Row> rows;
    rows.emplace_back(x, 40, Conditioning{.tokens = inputs[k]});
    expected.push_back(
        testing::run_alone(engine, ask(engine, rows, inputs[k], squared_error_cotangent, cost)).gradient());
  }
  denoiser.batches = 0;
  cost = {};
  const auto one = [&](int k) -> Task<void> {
    std::vector<Row> rows;
    rows.emplace_back(x, 40, Conditioning{.tokens = inputs[k]});
    const OutAndGradient result = co_await engine.out_vjp(std::move(rows), inputs[k], squared_error_cotangent, cost);
    gradients[k] = result.gradient();
  };
  at::set_num_threads(2);
  int given = 0;
  engine.run([&]() -> std::optional<Task<void>> {
    if (given == kRequests) return std::nullopt;
    return one(given++);
  });
  at::set_num_threads(threads);
  EXPECT_EQ(denoiser.batches, 2);
  EXPECT_EQ(cost.grad_rows, kRequests);
  EXPECT_EQ(cost.batch_rows_sum, kRequests * kRequests);  // still one batch
  for (int k = 0; k < kRequests; ++k) EXPECT_TRUE(at::allclose(gradients[k], expected[k], 1e-12, 1e-14)) << k;
}

TEST_F(Vjp, AFailingCotangentEndsItsOwnRequestOnly) {
  Tensor good_gradient;
  std::string failure;
  Cost other_cost;
  const Cotangent failing = [](const std::vector<Tensor>&) -> std::vector<Tensor> { throw std::runtime_error("mine"); };
  const auto bad = [&]() -> Task<void> {
    std::vector<Row> rows;
    rows.emplace_back(x, 40, Conditioning{.tokens = tokens});
    try {
      co_await engine.out_vjp(std::move(rows), tokens, failing, other_cost);
    } catch (const std::exception& error) {
      failure = error.what();
    }
  };
  const auto good = [&]() -> Task<void> {
    std::vector<Row> rows;
    rows.emplace_back(x, 40, Conditioning{.tokens = tokens});
    const OutAndGradient result = co_await engine.out_vjp(std::move(rows), tokens, squared_error_cotangent, cost);
    good_gradient = result.gradient();
  };
  std::vector<Task<void>> tasks;
  tasks.push_back(bad());
  tasks.push_back(good());
  const int threads = at::get_num_threads();
  at::set_num_threads(1);  // more would cut the batch between the two
  size_t next = 0;
  engine.run([&]() -> std::optional<Task<void>> {
    if (next == tasks.size()) return std::nullopt;
    return std::move(tasks[next++]);
  });
  at::set_num_threads(threads);
  EXPECT_EQ(failure, "mine");
  EXPECT_GT(good_gradient.abs().sum().item<double>(), 0);
  EXPECT_EQ(denoiser.batches, 1);  // they rode together
}

}  // namespace
}  // namespace roundtrip::engine
