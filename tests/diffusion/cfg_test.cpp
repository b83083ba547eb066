#include "diffusion/cfg.h"

#include <gtest/gtest.h>

namespace roundtrip::diffusion {
namespace {

TEST(Cfg, AsksOnlyForTheRowsThatItNeeds) {
  const Conditioning c{.tokens = at::ones({2, 3})}, null{.tokens = at::zeros({2, 3})};
  EXPECT_EQ(cfg_rows({c, null}, 1), CfgRows::kConditional);
  EXPECT_EQ(cfg_rows({c, null}, 0), CfgRows::kUnconditional);
  EXPECT_EQ(cfg_rows({c, null}, 7.5), CfgRows::kBoth);
  EXPECT_EQ(cfg_rows({c, c}, 7.5), CfgRows::kConditional);
}

TEST(Cfg, AsksDistilledNetworksForOneRowThatIsToldTheScale) {
  const Conditioning c{.tokens = at::ones({2, 3})}, null{.tokens = at::zeros({2, 3})};
  EXPECT_EQ(cfg_rows(guided(GuidanceWay::kCfg, {c, null}, 7.5), 7.5), CfgRows::kBoth);
  for (const double w : {0.0, 1.0, 7.5}) {
    const CfgPair told = guided(GuidanceWay::kTold, {c, null}, w);
    EXPECT_NE(cfg_rows(told, w), CfgRows::kBoth);
    EXPECT_TRUE(told.unconditional.tokens.is_same(c.tokens)) << "the row that w = 0 asks for is the prompt's, told 0";
    EXPECT_EQ(told.unconditional.guidance.item<double>(), w);
    const CfgPair deaf = guided(GuidanceWay::kNone, {c, null}, w);
    EXPECT_NE(cfg_rows(deaf, w), CfgRows::kBoth);
    EXPECT_FALSE(deaf.conditional.guidance.defined());
  }
}

TEST(Conditioning, EveryFieldIsStackedNarrowedAndCompared) {
  Conditioning a, b;
  for (const auto field : kConditioningFields) {
    a.*field = at::zeros({2});
    b = a;
    EXPECT_TRUE(same_conditioning(a, b));
    b.*field = at::ones({2});
    EXPECT_FALSE(same_conditioning(a, b));
    const Conditioning batch = stack({&a, &b, &b});
    EXPECT_EQ((batch.*field).sizes(), (std::vector<int64_t>{3, 2}));
    EXPECT_EQ((narrow(batch, 1, 2).*field).sum().item<double>(), 4);
  }
}

TEST(Cfg, ExtrapolatesFromTheUnconditionalPrediction) {
  const Tensor out = cfg({at::full({1}, 2.0), at::full({1}, 1.0)}, 7.5);
  EXPECT_FLOAT_EQ(out.item<float>(), 1 + 7.5f * (2 - 1));
}

TEST(Cfg, TheOnlyRowIsThePrediction) {
  EXPECT_EQ(cfg({at::full({1}, 2.0), {}}, 7.5).item<float>(), 2);
  EXPECT_EQ(cfg({{}, at::full({1}, 3.0)}, 0).item<float>(), 3);
}

}  // namespace
}  // namespace roundtrip::diffusion
