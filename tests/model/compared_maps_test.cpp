// The loss on compared cross-attention maps: its gradient against finite differences in float64, on the tiny model.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "model/model_folder.h"

namespace roundtrip::model {
namespace {

using at::Tensor;
using diffusion::AttentionPlan;

class ComparedMaps : public ::testing::Test {
 protected:
  struct Loss {
    double value;
    Tensor gradient;  // [R, C, H, W]; undefined where it was not asked for
  };

  Loss loss_at(const Tensor& x, const AttentionPlan& plan, bool differentiate = false) {
    const at::AutoGradMode grad(differentiate);
    Tensor input = x.clone();
    if (differentiate) input.requires_grad_(true);
    diffusion::Batch batch{.x = input, .t = at::full({x.size(0)}, 301, at::kDouble), .conditioning = {tokens_}};
    batch.linked.push_back({.first = 0, .count = x.size(0), .plan = std::make_shared<const AttentionPlan>(plan)});
    model_.denoiser->out(batch);
    const Tensor loss = batch.linked[0].seen->loss;
    if (!differentiate) return {loss.item<double>(), {}};
    return {loss.item<double>(), torch::autograd::grad({loss}, {input}).front()};
  }

  static Tensor noise(std::vector<int64_t> shape, uint64_t seed) {
    return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::kDouble);
  }

  Model model_ = open_model({.path = ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd", .dtype = "float64"});
  Tensor tokens_ = noise({3, 77, 32}, 1), x_ = noise({3, 4, 16, 16}, 2);
};

TEST_F(ComparedMaps, TheGradientIsTheDifferenceQuotient) {
  AttentionPlan plan;
  plan.compares.push_back({.sites = {}, .row = 0, .source = 2, .weight = 0.5});
  plan.compares.push_back({.sites = {}, .row = 1, .source = 2, .weight = 0.5});
  const Loss loss = loss_at(x_, plan, /*differentiate=*/true);
  for (const int64_t row : {0, 1}) {
    for (const uint64_t seed : {3, 4}) {
      constexpr double h = 1e-5;
      Tensor direction = at::zeros_like(x_);
      direction[row] = noise({4, 16, 16}, seed);
      const double numeric =
          (loss_at(x_ + h * direction, plan).value - loss_at(x_ - h * direction, plan).value) / (2 * h);
      const double exact = (loss.gradient * direction).sum().item<double>();
      EXPECT_NEAR(exact, numeric, 1e-6 * loss.gradient.norm().item<double>() + 1e-9);
      EXPECT_GT(std::abs(exact), 1e-6);
    }
  }
}

TEST_F(ComparedMaps, TheSourceIsAConstant) {
  AttentionPlan plan;
  plan.compares.push_back({.sites = {}, .row = 0, .source = 2});
  const Loss loss = loss_at(x_, plan, /*differentiate=*/true);
  EXPECT_GT(loss.value, 0);
  EXPECT_GT(loss.gradient[0].abs().max().item<double>(), 0);
  EXPECT_EQ(loss.gradient.narrow(0, 1, 2).abs().max().item<double>(), 0);
}

TEST_F(ComparedMaps, SitesAndWeightsAdd) {
  const auto loss = [&](std::vector<int> depths, double weight) {
    AttentionPlan plan;
    plan.compares.push_back({.sites = {.depths = std::move(depths)}, .row = 0, .source = 1, .weight = weight});
    return loss_at(x_, plan).value;
  };
  const double whole = loss({}, 1);
  EXPECT_NEAR(loss({0}, 1) + loss({1}, 1) + loss({2}, 1) + loss({3}, 1), whole, 1e-12 * whole);
  EXPECT_NEAR(loss({}, 3), 3 * whole, 1e-12 * whole);
}

TEST_F(ComparedMaps, TheResidualBlocksHaveNames) {
  const std::vector<std::string> names = {"down_blocks.0.resnets.0", "down_blocks.1.resnets.0", "mid_block.resnets.0",
                                          "mid_block.resnets.1",     "up_blocks.0.resnets.0",   "up_blocks.0.resnets.1",
                                          "up_blocks.1.resnets.0",   "up_blocks.1.resnets.1"};
  EXPECT_EQ(model_.denoiser->resnets(), names);
  // Each is grafted by its name: the row's prediction changes.
  const at::NoGradGuard no_grad;
  const diffusion::Batch plain{.x = x_, .t = at::full({3}, 301, at::kDouble), .conditioning = {tokens_}};
  const Tensor own = model_.denoiser->out(plain);
  for (const std::string& name : names) {
    AttentionPlan plan;
    plan.grafts.push_back({.resnet = name, .row = 0, .source = 1});
    diffusion::Batch batch = plain;
    batch.linked.push_back({.first = 0, .count = 3, .plan = std::make_shared<const AttentionPlan>(plan)});
    const Tensor grafted = model_.denoiser->out(batch);
    EXPECT_GT((grafted[0] - own[0]).abs().max().item<double>(), 1e-6) << name;
    EXPECT_LT((grafted[1] - own[1]).abs().max().item<double>(), 1e-12) << name;
  }
}

}  // namespace
}  // namespace roundtrip::model
