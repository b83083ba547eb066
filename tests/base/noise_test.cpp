#include "base/noise.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace roundtrip {
namespace {

TEST(Philox, MatchesThePublishedVectors) {  // Random123's known answers for philox4x32-10
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<double> draw(size_t count, const NoiseKey& key) {
  std::vector<double> values(count);
  fill_normal(std::span(values), key);
  return values;
}

TEST(Noise, DependsOnItsKeyAlone) {
  const NoiseKey key{.seed = 3, .sample = "a/b", .purpose = NoisePurpose::kForward, .step = 4};
  EXPECT_EQ(draw(9, key), draw(9, key));
  const std::vector<double> longer = draw(20, key), shorter = draw(9, key);
  EXPECT_TRUE(
      std::equal(shorter.begin(), shorter.end() - 1, longer.begin()));  // a value knows its index, not the count
  NoiseKey seed = key, sample = key, purpose = key, step = key;
  seed.seed = 4;
  sample.sample = "a/c";
  purpose.purpose = NoisePurpose::kSampling;
  step.step = 5;
  for (const NoiseKey& other : {seed, sample, purpose, step}) EXPECT_NE(draw(9, key), draw(9, other));
}

TEST(Noise, IsStandardNormal) {
  const size_t n = 200000;
  const std::vector<double> x = draw(n, {.seed = 1, .sample = "x"});
  double mean = 0, square = 0, fourth = 0, neighbours = 0;
  for (size_t k = 0; k < n; ++k) {
    mean += x[k] / n;
    square += x[k] * x[k] / n;
    fourth += std::pow(x[k], 4) / n;
    if (k > 0) neighbours += x[k] * x[k - 1] / n;
  }
  // Five standard errors of each moment.
  EXPECT_NEAR(mean, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth, 3, 5 * std::sqrt(96.0 / n));
  EXPECT_NEAR(neighbours, 0, 5 / std::sqrt(n));
}

TEST(Noise, FloatsAreTheDoublesRounded) {
  std::vector<float> floats(7);
  fill_normal(std::span(floats), {.seed = 1, .sample = "x"});
  const std::vector<double> doubles = draw(7, {.seed = 1, .sample = "x"});
  for (size_t k = 0; k < floats.size(); ++k) EXPECT_EQ(floats[k], static_cast<float>(doubles[k]));
}

}  // namespace
}  // namespace roundtrip
