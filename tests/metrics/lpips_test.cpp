// LPIPS with modules made here; the real one is held to its golden values in golden_test.cpp.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include "base/error.h"
#include "metrics/metric.h"
#include "metrics/pair.h"
#include "support/scratch_folder.h"

namespace roundtrip::metrics {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kNote =
    R"({"net": "squeeze", "version": "0.1", "trunk_sha256": "0123456789abcdef", "heads_sha256": "fedcba9876543210"})";
constexpr const char* kMeanDistance = "return (a - b).abs().mean([1, 2, 3])";

class LpipsTest : public testing::Test {
 protected:
  MetricParams module_of(const std::string& body, const std::string& note = kNote) {
    torch::jit::Module module("Lpips");
    module.define("def forward(self, a, b):\n  " + body + "\n");
    const std::filesystem::path file = folder_.path() / "lpips.pt";
    module.save(file.string(),
                note.empty() ? torch::jit::ExtraFilesMap{} : torch::jit::ExtraFilesMap{{"lpips.json", note}});
    return with_module("lpips", file);
  }

  MetricParams file_of(const std::string& bytes) { return with_module("lpips", folder_.write("lpips.pt", bytes)); }

  static std::string refusal(const MetricParams& options) {
    try {
      make_metric("lpips", options);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "no error";
  }

  ScratchFolder folder_;
};

TEST_F(LpipsTest, WithoutAModuleIsNanAndSaysHowToGetOne) {
  const auto metric = make_metric("lpips");
  EXPECT_EQ(metric->unavailable(),
            "lpips: metric.lpips.path is empty and there is no lpips-squeeze.pt in /nonexistent/metrics, so the column "
            "will be NaN; get it by: "
            "scripts/get_metric lpips-squeeze");
  const Tensor scores = metric->score(pair(at::rand({2, 3, 8, 8}), at::rand({2, 3, 8, 8})));
  EXPECT_EQ(scores.numel(), 2);
  EXPECT_TRUE(scores.isnan().all().item<bool>());
}

// [0, 1] becomes [-1, 1]: a shift of 0.25 is one of 0.5 there.
TEST_F(LpipsTest, GivesTheModuleImagesOnMinusOneToOne) {
  const auto shift = make_metric("lpips", module_of(kMeanDistance));
  EXPECT_EQ(shift->unavailable(), "");
  const Tensor half = at::full({2, 3, 32, 32}, 0.5);
  EXPECT_DOUBLE_EQ(shift->score(pair(half, half + 0.25))[1].item<double>(), 0.5);
  const auto least = make_metric("lpips", module_of("return a.amin([1, 2, 3]) * (a - b).abs().amax([1, 2, 3])"));
  EXPECT_DOUBLE_EQ(least->score(pair(0 * half, 0 * half + 1))[0].item<double>(), -2);
}

TEST_F(LpipsTest, NamesItsNetworkAndDigests) {
  const auto metric = make_metric("lpips", module_of(kMeanDistance));
  EXPECT_THAT(metric->info().long_name, HasSubstr("squeeze network"));
  EXPECT_EQ(metric->info().version, "0.1 squeeze, trunk 0123456789ab, heads fedcba987654");
}

TEST_F(LpipsTest, RefusesAModuleOfAnotherNetwork) {
  MetricParams options = module_of(kMeanDistance);
  const std::string path = options.at("lpips").get_path("path");
  const auto asking = [&](const std::string& net) -> MetricParams {
    return {{"lpips", config::Params("metric.lpips", {{"path", path}, {"net", net}})}};
  };
  EXPECT_EQ(make_metric("lpips", asking("squeeze"))->unavailable(), "");
  EXPECT_EQ(refusal(asking("alex")),
            "metric.lpips.path: " + path + ": holds the network 'squeeze'; expected 'alex' (metric.lpips.net)");
}

TEST_F(LpipsTest, LeavesNoGradientBehind) {
  const auto metric = make_metric("lpips", module_of(kMeanDistance));
  const Tensor image = at::rand({1, 3, 16, 16}).requires_grad_();
  EXPECT_FALSE(metric->score(pair(image, at::rand({1, 3, 16, 16}))).requires_grad());
}

TEST_F(LpipsTest, RefusesFilesThatAreNoModule) {
  const std::string expected = "expected a module written by scripts/get_metric or export_lpips.py";
  EXPECT_THAT(refusal(with_module("lpips", folder_.path() / "x.pt")),
              AllOf(HasSubstr("x.pt: no such file"), HasSubstr(expected)));
  EXPECT_THAT(refusal(with_module("lpips", folder_.path())), HasSubstr("not a file"));
  for (const std::string& bytes :
       {std::string(), std::string("hello"), std::string(1000, '\0'), std::string("PK\3\4")}) {
    EXPECT_THAT(refusal(file_of(bytes)),
                AllOf(HasSubstr("lpips.pt: not a TorchScript module ("), HasSubstr(expected), Not(HasSubstr("\n"))));
  }
}

TEST_F(LpipsTest, RefusesAModuleCutShort) {
  const MetricParams options = module_of(kMeanDistance);
  const std::filesystem::path file = options.at("lpips").get_path("path");
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_THAT(refusal(options), HasSubstr("lpips.pt: not a TorchScript module"));
}

TEST_F(LpipsTest, RefusesAModuleWithoutItsNote) {
  EXPECT_THAT(refusal(module_of(kMeanDistance, "")), HasSubstr("lpips.pt: holds no lpips.json"));
  EXPECT_THAT(refusal(module_of(kMeanDistance, "{")), HasSubstr("lpips.json: not valid JSON"));
  EXPECT_THAT(refusal(module_of(kMeanDistance, "[]")), HasSubstr("its lpips.json has no text 'net'"));
  EXPECT_THAT(refusal(module_of(kMeanDistance, R"({"net": 3})")), HasSubstr("its lpips.json has no text 'net'"));
}

TEST_F(LpipsTest, RefusesAModuleThatIsNotLpips) {
  EXPECT_THAT(refusal(module_of("return a")), HasSubstr("its module answers [2, 3, 32, 32]; expected [2]"));
  EXPECT_THAT(refusal(module_of("return 3")), HasSubstr("its module answers Int; expected a tensor"));
  EXPECT_THAT(refusal(module_of("return a.mean([1, 2, 3])+1")), HasSubstr("does not find equal images 0 apart"));
  EXPECT_THAT(refusal(module_of("return a.mm(b)")),
              AllOf(HasSubstr("failed on inputs of shape [2, 3, 32, 32] ("), Not(HasSubstr("\n"))));
}

TEST_F(LpipsTest, NamesTheSizeThatAModuleCannotTake) {
  const auto metric = make_metric("lpips", module_of("return (a - b)[:, :, 30].abs().mean([1, 2])"));
  try {
    metric->score(pair(at::rand({1, 3, 8, 8}), at::rand({1, 3, 8, 8})));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("failed on inputs of shape [1, 3, 8, 8] ("));
  }
}

}  // namespace
}  // namespace roundtrip::metrics
