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
