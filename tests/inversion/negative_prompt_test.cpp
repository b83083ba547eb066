#include <gtest/gtest.h>

#include "support/inversion_bench.h"

namespace roundtrip::inversion {
namespace {

using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> negative_prompt(double slerp = 0) {
  return make_method("negative_prompt",
                     config::Params("method", {{"name", std::string("negative_prompt")}, {"slerp", slerp}}));
}

class NegativePromptTest : public ::testing::Test {
 protected:
  NegativePromptTest() {
    setting.source.tokens = at::tensor({0.6, 0.0, 0.1, 0.5, 0.2, -0.3}, at::kDouble).view({2, 3});
    setting.null.tokens = at::tensor({0.0, 0.8, -0.1, 0.2, 0.4, 0.1}, at::kDouble).view({2, 3});
  }
  RoundTrip trip(const Method& method) { return round_trip(method, denoiser, x0, setting); }

  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Setting setting{.steps = 10};
};

TEST_F(NegativePromptTest, ReconstructsAsDdimAtOneWhateverW) {
  const auto ddim = make_method("ddim", config::Params("method", {{"name", std::string("ddim")}}));
  const RoundTrip plain = trip(*ddim);
  for (const double w : {0.0, 1.0, 3.0, 7.5}) {
    setting.w = w;
    const RoundTrip negative = trip(*negative_prompt());
    EXPECT_TRUE(at::equal(at::stack(negative.path), at::stack(plain.path))) << "w = " << w;
    EXPECT_EQ(negative.sample_cost.rows, 10);
  }
}

TEST_F(NegativePromptTest, SlerpEndsAtTheNullEmbedding) {
  setting.w = 5;
  const auto ddim = make_method("ddim", config::Params("method", {{"name", std::string("ddim")}}));
  const RoundTrip plain = trip(*ddim), end = trip(*negative_prompt(1)), half = trip(*negative_prompt(0.5));
  EXPECT_LT((end.path.back() - plain.path.back()).abs().max().item<double>(), 1e-12);
  EXPECT_GT((half.path.back() - plain.path.back()).abs().max().item<double>(), 1e-3);
}

TEST_F(NegativePromptTest, SlerpKeepsTheLengthBetweenTokensOfEqualLength) {
  // eps reads the sum of the tokens: halfway between e1 and e2 that is 2 cos(45 degrees).
  setting.w = 0;  // the unconditional row alone
  setting.source.tokens = at::tensor({1.0, 0.0}, at::kDouble).view({1, 2});
  setting.null.tokens = at::tensor({0.0, 1.0}, at::kDouble).view({1, 2});
  const RoundTrip half = trip(*negative_prompt(0.5));
  const Tensor x_S = half.path.front();
  setting.null.tokens = at::full({1, 2}, std::sqrt(0.5), at::kDouble);
  const auto ddim = make_method("ddim", config::Params("method", {{"name", std::string("ddim")}}));
  const RoundTrip expected = trip(*ddim);
  EXPECT_LT((expected.path.front() - x_S).abs().max().item<double>(), 1e-12);
  EXPECT_LT((expected.path.back() - half.path.back()).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace roundtrip::inversion
