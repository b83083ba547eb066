#include "metrics/metric.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"
#include "metrics/pair.h"
#include "support/error_of.h"

namespace roundtrip::metrics {
namespace {

using ::testing::HasSubstr;

Tensor score(const std::string& name, const Tensor& reference, const Tensor& test) {
  return make_metric(name)->score(pair(reference, test));
}

Tensor constant(double value, at::IntArrayRef shape = {1, 3, 16, 16}) { return at::full(shape, value); }

TEST(Metrics, AreListedByName) {
  EXPECT_THAT(metric_names(), ::testing::IsSupersetOf({"clip_similarity", "dists", "latent_mse", "lpips", "mse", "psnr",
                                                       "ssim", "structure_distance"}));
  EXPECT_TRUE(std::ranges::is_sorted(metric_names()));
}

TEST(Metrics, SuggestTheNearestName) {
  try {
    make_metric("pnsr");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kType);
    EXPECT_THAT(error.message(),
                HasSubstr("metrics: there is no metric 'pnsr'; expected one of " + join(metric_names(), ", ")));
    EXPECT_THAT(error.message(), HasSubstr("Did you mean 'psnr'?"));
  }
}

// Holds for every metric that is added, too.
TEST(Metrics, AreScoresOfPairsInFloat64WithASpelledOutInfo) {
  at::manual_seed(1);
  const Tensor a = at::rand({3, 3, 24, 20}), b = at::rand({3, 3, 24, 20});
  for (const std::string& name : metric_names()) {
    const auto metric = make_metric(name);
    EXPECT_EQ(metric->info().name, name);
    EXPECT_GT(metric->info().long_name.size(), 10u) << name;
    EXPECT_FALSE(metric->info().label.empty()) << name;
    if (!metric->unavailable().empty()) {
      EXPECT_TRUE(metric->score(pair(a, b)).isnan().all().item<bool>()) << name;
      continue;
    }
    EXPECT_FALSE(metric->info().version.empty()) << name;
    const Tensor scores = metric->score(pair(a, b));
    EXPECT_EQ(scores.sizes(), at::IntArrayRef{3}) << name;
    EXPECT_EQ(scores.scalar_type(), at::kDouble) << name;
    for (int64_t n = 0; n < 3; ++n) {
      const double alone = metric->score(pair(a.narrow(0, n, 1), b.narrow(0, n, 1))).item<double>();
      EXPECT_NEAR(scores[n].item<double>(), alone, 1e-7) << name;
    }
    EXPECT_EQ(metric->score(pair(a.narrow(0, 0, 0), b.narrow(0, 0, 0))).numel(), 0) << name;
    const Wants& wants = metric->info().wants;
    if (wants.reference || wants.latents || wants.target) {
      EXPECT_THROW(metric->score(pair(a, b.narrow(3, 0, 10))), Error) << name;
    }
    if (metric->info().background != Background::kPixels) continue;
    const Tensor whole = at::ones({3, 1, 24, 20}, at::kBool);
    EXPECT_TRUE(at::allclose(metric->score_where(a, b, whole), scores)) << name;
    EXPECT_TRUE(metric->score_where(a, b, whole.logical_not()).isnan().all().item<bool>()) << name;
  }
}

std::string refusal(const std::string& name, const MetricParams& params) {
  return roundtrip::testing::error_of([&] { make_metric(name, params); }, ErrorKind::kType);
}

TEST(Metrics, ReadTheirOwnSection) {
  const auto section = [](const char* key, config::Params::Value value) -> MetricParams {
    return {{"lpips", config::Params("metric.lpips", {{key, std::move(value)}}, {{key, "lpips.yaml:3"}})}};
  };
  EXPECT_THAT(make_metric("lpips", section("path", std::monostate()))->unavailable(),
              HasSubstr("get it by: scripts/get_metric lpips-squeeze"));
  EXPECT_THAT(refusal("lpips", section("path", int64_t{3})),
              HasSubstr("lpips.yaml:3: metric.lpips.path: found 3 of type int; expected a path or null"));
  EXPECT_EQ(
      refusal("lpips", section("pth", std::string("x"))),
      "lpips.yaml:3: metric.lpips.pth: metric 'lpips' has no such parameter; it has net, path. Did you mean 'path'?");
  EXPECT_EQ(refusal("mse", {{"mse", config::Params("metric.mse", {{"radius", 0.5}})}}),
            "metric.mse.radius: metric 'mse' has no such parameter; it has none");
}

// What can be refused before any module is read, of metrics that nobody asked for too.
TEST(Metrics, NameTheFilesOfTheirSections) {
  const config::Params lpips("metric.lpips", {{"path", std::string("a/lpips.pt")}, {"layers", int64_t{5}}});
  EXPECT_THAT(metric_files({{"lpips", lpips}, {"clip_similarity", config::Params("", {{"path", std::monostate()}})}}),
              ::testing::ElementsAre(std::pair("metric.lpips.path", "a/lpips.pt")));
  EXPECT_THAT(roundtrip::testing::error_of([] { metric_files({{"lpisp", config::Params()}}); }, ErrorKind::kType),
              HasSubstr("metric.lpisp: there is no metric 'lpisp'; expected one of "));
  EXPECT_THAT(
      roundtrip::testing::error_of([] { metric_files({{"lpips", config::Params("metric.lpips", {{"path", true}})}}); },
                                   ErrorKind::kType),
      HasSubstr("metric.lpips.path: found true of type bool; expected a path or null"));
}

TEST(Metrics, PassNanOnForThatPairAlone) {
  Tensor a = at::full({2, 3, 16, 16}, 0.5);
  const Tensor b = at::full({2, 3, 16, 16}, 0.25);
  a[0][0][8][8] = std::nan("");
  for (const char* name : {"mse", "psnr", "ssim", "latent_mse"}) {
    const Tensor scores = score(name, a, b);
    EXPECT_TRUE(std::isnan(scores[0].item<double>())) << name;
    EXPECT_TRUE(std::isfinite(scores[1].item<double>())) << name;
  }
}

TEST(Mse, IsTheMeanOfSquaredDifferences) {
  EXPECT_DOUBLE_EQ(score("mse", constant(0.5), constant(0.25)).item<double>(), 0.0625);
  Tensor spot = constant(0);
  spot[0][1][3][4] = 1;
  EXPECT_DOUBLE_EQ(score("mse", constant(0), spot).item<double>(), 1.0 / (3 * 16 * 16));
}

TEST(LatentMse, ComparesLatents) {
  EXPECT_EQ(make_metric("latent_mse")->info().wants, Wants{.latents = true});
  const std::vector<int64_t> shape = {1, 4, 8, 8};
  EXPECT_DOUBLE_EQ(score("latent_mse", constant(-3, shape), constant(1, shape)).item<double>(), 16);
}

TEST(Psnr, IsDecibelsBelowTheRange) {
  EXPECT_NEAR(score("psnr", constant(0.5), constant(0.5 + 0.125)).item<double>(), 20 * std::log10(8), 1e-12);
  EXPECT_EQ(score("psnr", constant(0), constant(1)).item<double>(), 0);
}

TEST(Psnr, IsInfiniteForEqualImages) {
  EXPECT_EQ(score("psnr", constant(0.3), constant(0.3)).item<double>(), std::numeric_limits<double>::infinity());
}

// float32 inputs are compared in float64: 1 - 1e-7 squared away would be 0 there.
TEST(Psnr, ResolvesTheLastBit) {
  const double ulp = std::ldexp(1.0, -24);
  EXPECT_NEAR(score("psnr", constant(1), constant(1 - ulp)).item<double>(), 20 * 24 * std::log10(2), 1e-9);
}

}  // namespace
}  // namespace roundtrip::metrics
