// Local blending on hand-made maps.
#include "editing/local_blend.h"

#include <gtest/gtest.h>

#include "support/error_of.h"

namespace roundtrip::editing {
namespace {

using at::Tensor;

Tensor spot(int64_t h, int64_t w, int64_t y, int64_t x, double value = 1) {
  Tensor map = at::zeros({h, w}, at::kFloat);
  map[y][x] = value;
  return map;
}

Tensor row(std::vector<float> values) { return at::tensor(values).unsqueeze(0); }

std::vector<int> bits(const Tensor& mask) {
  const Tensor flat = mask.flatten().to(at::kInt);
  return {flat.data_ptr<int>(), flat.data_ptr<int>() + flat.numel()};
}

class LocalBlendTest : public ::testing::Test {
 protected:
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  Tensor x_source = at::randn({4, 8, 8}, generator), x_target = at::randn({4, 8, 8}, generator);
  Tensor zeros = at::zeros({4, 4}, at::kFloat);
};

// A spot grows by its neighbours, on the map's own grid, and each of its pixels then covers four of the latent's.
TEST_F(LocalBlendTest, TheMaskIsTheNeighbourhoodOfEitherRowsSpot) {
  LocalBlend blend({});
  blend.add({.source = spot(4, 4, 0, 0), .target = spot(4, 4, 3, 2, 7.5)});
  Tensor expected = at::zeros({8, 8}, at::kBool);
  expected.slice(0, 0, 4).slice(1, 0, 4).fill_(true);
  expected.slice(0, 4, 8).slice(1, 2, 8).fill_(true);
  EXPECT_TRUE(at::equal(blend.mask(8, 8), expected));
  EXPECT_TRUE(
      at::equal(LocalBlend::blend(blend.mask(8, 8), x_source, x_target), at::where(expected, x_target, x_source)));
  EXPECT_TRUE(at::allclose(LocalBlend::blend(blend.mask(8, 8), x_source, x_target),
                           x_source + expected * (x_target - x_source)));
}

TEST_F(LocalBlendTest, UpsamplingTakesThePixelAtTheFloor) {
  LocalBlend blend({.threshold = 0.5, .minus_threshold = 0.5, .has_minus = true});
  blend.add({.source = at::ones({1, 3}),
             .target = at::ones({1, 3}),
             .minus_source = row({0, 1, 0}),
             .minus_target = at::zeros({1, 3})});
  std::vector<int> expected;
  for (int64_t i = 0; i < 5; ++i) expected.push_back(i * 3 / 5 == 1 ? 0 : 1);
  EXPECT_EQ(bits(blend.mask(1, 5)), expected);
}

TEST_F(LocalBlendTest, TheThresholdIsStrictAndRelativeToEachMapsMaximum) {
  LocalBlend blend({.threshold = 0.25});
  const Tensor map = row({8, 0, 0, 2, 0, 0, 2.5});  // pooled: 8 8 2 2 2 2.5 2.5
  blend.add({.source = map, .target = at::zeros_like(map)});
  EXPECT_EQ(bits(blend.mask(1, 7)), (std::vector<int>{1, 1, 0, 0, 0, 1, 1}));
  // The target's map is compared with its own maximum, a hundredth of the source's.
  blend.add({.source = at::zeros_like(map), .target = row({0, 0, 0, .08, 0, 0, 0})});
  EXPECT_EQ(bits(blend.mask(1, 7)), (std::vector<int>{1, 1, 1, 1, 1, 1, 1}));
}

TEST_F(LocalBlendTest, MapsAddUpOverTheSteps) {
  LocalBlend blend({.threshold = 0.3});
  const Tensor left = row({1, 0, 0, 0, 0}), right = row({0, 0, 0, 0, .2f}), none = at::zeros({1, 5});
  blend.add({.source = left, .target = none});
  blend.add({.source = right, .target = none});
  EXPECT_EQ(bits(blend.mask(1, 5)), (std::vector<int>{1, 1, 0, 0, 0}));
  blend.add({.source = right, .target = none});
  EXPECT_EQ(bits(blend.mask(1, 5)), (std::vector<int>{1, 1, 0, 1, 1}));
  EXPECT_EQ(left[0][0].item<float>(), 1);  // the caller's maps are not changed
}

TEST_F(LocalBlendTest, AWordThatIsNowhereHasAnEmptyRegion) {
  LocalBlend one({}), both({});
  one.add({.source = zeros, .target = spot(4, 4, 0, 0)});
  EXPECT_EQ(one.mask(4, 4).sum().item<int64_t>(), 4);
  both.add({.source = zeros, .target = zeros});
  EXPECT_FALSE(both.mask(8, 8).any().item<bool>());
  EXPECT_TRUE(at::equal(LocalBlend::blend(both.mask(8, 8), x_source, x_target), x_source));
}

TEST_F(LocalBlendTest, RegionsOfMinusWordsAreTakenOutWithoutTheirNeighbours) {
  LocalBlend blend({.threshold = 0, .minus_threshold = 0.5, .has_minus = true});
  blend.add({.source = at::ones({4, 4}),
             .target = zeros,
             .minus_source = spot(4, 4, 1, 1),
             .minus_target = spot(4, 4, 2, 3) + spot(4, 4, 0, 0, 0.5)});
  Tensor expected = at::ones({4, 4}, at::kBool);
  expected[1][1] = false;
  expected[2][3] = false;
  EXPECT_TRUE(at::equal(blend.mask(4, 4), expected));
}

TEST_F(LocalBlendTest, AbsentMinusWordsTakeNothingOut) {
  LocalBlend blend({.threshold = 0, .has_minus = true});
  blend.add({.source = at::ones({4, 4}), .target = zeros, .minus_source = zeros, .minus_target = zeros});
  EXPECT_TRUE(blend.mask(8, 8).all().item<bool>());
}

TEST_F(LocalBlendTest, ThresholdZeroChangesNothingAndOneGivesTheSource) {
  const BlendMaps positive{.source = at::rand({4, 4}, generator) + 0.01, .target = at::rand({4, 4}, generator) + 0.01};
  LocalBlend open({.threshold = 0}), shut({.threshold = 1});
  open.add(positive);
  shut.add(positive);
  EXPECT_TRUE(at::equal(LocalBlend::blend(open.mask(8, 8), x_source, x_target), x_target));
  EXPECT_TRUE(at::equal(LocalBlend::blend(shut.mask(8, 8), x_source, x_target), x_source));
  const Tensor rows = x_target.unsqueeze(0);  // a batch of one is blended alike
  EXPECT_TRUE(at::equal(LocalBlend::blend(open.mask(8, 8), x_source.unsqueeze(0), rows), rows));
}

TEST_F(LocalBlendTest, StartsAtAFractionOfAllSteps) {
  EXPECT_FALSE(LocalBlend({.start = 0.2}).starts_at(9, 50));
  EXPECT_TRUE(LocalBlend({.start = 0.2}).starts_at(10, 50));
  EXPECT_TRUE(LocalBlend({.start = 0.58}).starts_at(28, 50));  // 50 * 0.58 is below 29 in double
  EXPECT_TRUE(LocalBlend({.start = 0}).starts_at(0, 50));
}

TEST_F(LocalBlendTest, HasNoMaskBeforeTheFirstMaps) {
  EXPECT_EQ(testing::kind_of([] { LocalBlend({}).mask(8, 8); }), ErrorKind::kInternal);
  EXPECT_THROW(LocalBlend({}).mask(8, 8), Error);
}

}  // namespace
}  // namespace roundtrip::editing
