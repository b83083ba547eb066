// Self-attention that is bounded by regions, in every dtype of a network: also where a region is empty.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "model/model_folder.h"

namespace roundtrip::model {
namespace {

using at::Tensor;
using diffusion::Route;

class AttentionRegions : public ::testing::TestWithParam<const char*> {
 protected:
  // The prediction of row 0, which reads row 1's content in the regions.
  Tensor out(const Tensor& source, const Tensor& row) {
    auto plan = std::make_shared<diffusion::AttentionPlan>();
    Route route{.sites = {}, .kind = Route::Kind::kSourceContent, .row = 0, .source = 1};
    if (source.defined()) route.regions = diffusion::Regions{source, row};
    plan->routes.push_back(std::move(route));
    diffusion::Batch batch{.x = x_, .t = at::full({2}, 301, at::kDouble), .conditioning = {tokens_}};
    batch.linked.push_back({.first = 0, .count = 2, .plan = plan});
    return model_.denoiser->out(batch)[0].to(at::kFloat);
  }

  const at::NoGradGuard no_grad_;
  Model model_ = open_model({.path = ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd", .dtype = GetParam()});
  Tensor x_ = at::linspace(-1, 1, 2 * 4 * 16 * 16).view({2, 4, 16, 16}).sin();
  Tensor tokens_ = at::linspace(-1, 1, 2 * 77 * 32).view({2, 77, 32});
};

TEST_P(AttentionRegions, AnEmptyOneIsFinite) {
  const Tensor none = at::zeros({16, 16}), all = at::ones({16, 16});
  EXPECT_TRUE(at::isfinite(out(none, all)).all().item<bool>());
  EXPECT_TRUE(at::isfinite(out(all, none)).all().item<bool>());
}

TEST_P(AttentionRegions, TheWholePictureIsNoBound) {
  const Tensor all = at::ones({16, 16}), plain = out({}, {});
  const double difference = (out(all, all) - plain).abs().max().item<double>();
  EXPECT_LT(difference, 0.05 * plain.abs().max().item<double>());
}

INSTANTIATE_TEST_SUITE_P(Dtypes, AttentionRegions, ::testing::Values("float32", "float64", "bfloat16", "float16"),
                         [](const auto& named) { return std::string(named.param); });

}  // namespace
}  // namespace roundtrip::model
