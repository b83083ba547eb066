// Parts of the transformers, on values small enough to work out by hand.
#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "model/ada_layer_norm.h"
#include "model/class_labels.h"
#include "model/equal_tokens.h"
#include "model/joint_attention.h"
#include "model/patches.h"
#include "model/rotary_embedding.h"
#include "model/t5_encoder.h"
#include "support/error_of.h"

namespace roundtrip::model {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

double distance(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Patches, PackingPutsTheChannelFirstAndPatchesTheChannelLast) {
  const Tensor picture = at::arange(2 * 4 * 6, at::kDouble).view({1, 2, 4, 6});  // channel 1 starts at 24
  const Tensor tokens = packed(picture);
  EXPECT_EQ(tokens.sizes(), (std::vector<int64_t>{1, 6, 8}));
  // The second patch of the first row: channel, row, column.
  EXPECT_TRUE(at::equal(tokens[0][1], at::tensor({2., 3., 8., 9., 26., 27., 32., 33.}, at::kDouble)));
  EXPECT_TRUE(at::equal(unpacked(tokens, 4, 6), picture));
  // The same patch as row, column, channel.
  Tensor last = at::zeros({1, 6, 8}, at::kDouble);
  last[0][1] = at::tensor({2., 26., 3., 27., 8., 32., 9., 33.}, at::kDouble);
  const Tensor restored = from_patches(last, 4, 6, 2);
  EXPECT_TRUE(at::equal(restored.narrow(2, 0, 2).narrow(3, 2, 2), picture.narrow(2, 0, 2).narrow(3, 2, 2)));
}

TEST(Patches, PositionsHaveTheColumnsHalfFirst) {
  const Tensor table = sincos_positions(8, 2, 3, 2, at::kCPU);  // [6, 8]
  EXPECT_EQ(table.sizes(), (std::vector<int64_t>{6, 8}));
  const float column = 1.0f / 1.5f;                                 // of 3 columns on the scale of 2
  EXPECT_NEAR(table[4][0].item<double>(), std::sin(column), 1e-6);  // row 1, column 1
  EXPECT_NEAR(table[4][2].item<double>(), std::cos(column), 1e-6);
  EXPECT_NEAR(table[4][1].item<double>(), std::sin(column / 100), 1e-6);
  EXPECT_NEAR(table[4][4].item<double>(), std::sin(1.0), 1e-6);
}

// Attention of four pictures' tokens over a text's, as keys and values, with the tokens themselves as both.
Tensor attended(const Tensor& tokens, const Tensor& others, const Tensor& bias) {
  const Tensor keys = at::cat({tokens, others}, 1).unsqueeze(2);  // [N, L + T, 1, C]
  return attend({keys, keys, keys}, nullptr, bias);
}

TEST(EqualTokens, CountAsOftenAsTheyStandThere) {
  at::manual_seed(1);
  const Tensor others = at::randn({2, 3, 8}, at::kDouble);
  Tensor tokens = at::randn({2, 9, 8}, at::kDouble);
  tokens.narrow(1, 4, 5).copy_(at::randn({2, 1, 8}, at::kDouble));  // five equal ones, others in the other row
  tokens[1].narrow(0, 2, 2).copy_(tokens[1].narrow(0, 4, 2));       // there, seven
  const FoldedTokens folded = fold_equal_tokens(tokens, 3);
  EXPECT_EQ(folded.tokens.sizes(), (std::vector<int64_t>{2, 5, 8}));
  const Tensor whole = attended(tokens, others, {}), less = attended(folded.tokens, others, folded.bias);
  EXPECT_LT(distance(less.narrow(1, 0, 5), whole.narrow(1, 0, 5)), 1e-14);
  EXPECT_LT(distance(less.narrow(1, 5, 3), whole.narrow(1, 9, 3)), 1e-14);
}

TEST(EqualTokens, ShareTheirGradient) {
  at::manual_seed(2);
  const Tensor others = at::randn({1, 3, 8}, at::kDouble);
  Tensor tokens = at::randn({1, 9, 8}, at::kDouble);
  tokens.narrow(1, 4, 5).copy_(at::zeros({1, 1, 8}, at::kDouble));
  const auto gradient = [&](bool fold) {
    const Tensor leaf = tokens.detach().clone().requires_grad_();
    const FoldedTokens folded = fold ? fold_equal_tokens(leaf, 3) : FoldedTokens{.tokens = leaf};
    const Tensor out = attended(folded.tokens, others, folded.bias);
    return torch::autograd::grad({out.narrow(1, out.size(1) - 3, 3).square().sum()}, {leaf})[0];
  };
  EXPECT_LT(distance(gradient(true), gradient(false)), 1e-13);
}

TEST(EqualTokens, AreLeftAloneWhereTheyAreFew) {
  const Tensor tokens = at::arange(2 * 3 * 2, at::kDouble).view({2, 3, 2});
  EXPECT_TRUE(fold_equal_tokens(tokens, 1).tokens.is_same(tokens));
  EXPECT_FALSE(fold_equal_tokens(tokens, 1).bias.defined());
  EXPECT_EQ(fold_equal_tokens(at::zeros({1, 1, 2}), 1).tokens.size(1), 1);
}

TEST(RotaryEmbedding, TurnsNeighbouringChannelsByThePositionsOfTheirAxis) {
  const Tensor positions = text_and_picture_positions(1, 2, 2, at::kCPU);
  EXPECT_TRUE(at::equal(
      positions, at::tensor({0., 0., 0., 0., 0., 0., 0., 0., 1., 0., 1., 0., 0., 1., 1.}, at::kDouble).view({5, 3})));
  const RotaryEmbedding rotation(positions, {2, 2, 4});
  const Tensor x = at::ones({1, 5, 1, 8}, at::kFloat);
  const Tensor turned = rotation(x);
  EXPECT_LT(distance(turned[0][0], x[0][0]), 1e-7);  // text stays
  const Tensor last = turned[0][4][0];               // row 1, column 1
  EXPECT_NEAR(last[0].item<double>(), 1, 1e-6);      // the first axis is 0
  EXPECT_NEAR(last[2].item<double>(), std::cos(1.0) - std::sin(1.0), 1e-6);
  EXPECT_NEAR(last[3].item<double>(), std::cos(1.0) + std::sin(1.0), 1e-6);
  EXPECT_NEAR(last[6].item<double>(), std::cos(0.01) - std::sin(0.01), 1e-6);
}

TEST(RotaryEmbedding, KeepsProductsOfTokensEquallyFarApart) {
  const RotaryEmbedding rotation(text_and_picture_positions(0, 3, 3, at::kCPU), {2, 4, 4});
  const Tensor q = rotation(at::rand({1, 1, 1, 10}).expand({1, 9, 1, 10}));
  const Tensor k = rotation(at::rand({1, 1, 1, 10}).expand({1, 9, 1, 10}));
  const Tensor products = at::matmul(q[0].squeeze(1), k[0].squeeze(1).t());  // [9, 9]
  EXPECT_NEAR(products[0][4].item<double>(), products[4][8].item<double>(), 1e-5);
  EXPECT_NEAR(products[0][1].item<double>(), products[7][8].item<double>(), 1e-5);
}

TEST(AdaLayerNorm, ShiftsScalesAndGates) {
  const Tensor x = at::tensor({1., 3.}, at::kDouble).view({1, 1, 2});  // normed: -1, 1
  const Tensor shift = at::full({1, 1, 2}, 0.5, at::kDouble), scale = at::full({1, 1, 2}, 2.0, at::kDouble);
  EXPECT_LT(distance(modulated(x, shift, scale, 0), at::tensor({-2.5, 3.5}, at::kDouble).view({1, 1, 2})), 1e-12);
  EXPECT_LT(distance(add_gated(x, scale, shift), x + 1), 1e-12);
}

TEST(T5Distances, AreExactThenLogarithmicOnEitherSide) {
  const Tensor buckets = distance_buckets(300, 32, 128, at::kCPU);
  const auto bucket = [&](int64_t query, int64_t key) { return buckets[query][key].item<int64_t>(); };
  EXPECT_EQ(bucket(10, 10), 0);
  EXPECT_EQ(bucket(10, 7), 3);
  EXPECT_EQ(bucket(7, 10), 16 + 3);
  EXPECT_EQ(bucket(8, 0), 8);  // the first logarithmic one
  EXPECT_EQ(bucket(11, 0), 8);
  EXPECT_EQ(bucket(12, 0), 9);
  EXPECT_EQ(bucket(299, 0), 15);
  EXPECT_EQ(bucket(0, 299), 31);
}

TEST(ClassLabels, TakeANumberANameOrNothing) {
  ClassLabels labels(1000, {{0, "tench, Tinca tinca"}, {134, "crane"}, {517, "crane"}}, "model");
  const auto label = [&](const std::string& prompt) {
    return labels.encode(prompt).conditioning.label.item<int64_t>();
  };
  EXPECT_EQ(label("7"), 7);
  EXPECT_EQ(label("Tinca tinca"), 0);
  EXPECT_EQ(label("crane"), 517);  // as diffusers' pipeline has it: the last of equal names
  EXPECT_EQ(label(""), 1000);
  EXPECT_EQ(label("1000"), 1000);
  EXPECT_THAT(error_of([&] { label("1001"); }),
              HasSubstr("prompt '1001': not a class of the model; expected 0 to 999"));
  EXPECT_THAT(error_of([&] { label("crone"); }), HasSubstr("Did you mean 'crane'?"));
  EXPECT_THAT(error_of([] { ClassLabels(10, {{10, "ten"}}, "model_index.json"); }),
              HasSubstr("id2label names the class 10"));
}

}  // namespace
}  // namespace roundtrip::model
