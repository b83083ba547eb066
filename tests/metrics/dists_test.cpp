// dists with modules made here; tests/parity/dists_test.py holds a real one against the authors' definition.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include "metrics/metric.h"
#include "metrics/pair.h"
#include "support/error_of.h"
#include "support/scratch_folder.h"

namespace roundtrip::metrics {
namespace {

using ::roundtrip::testing::error_of;
using ::testing::HasSubstr;

constexpr const char* kNote =
    R"({"network": "vgg16", "trunk_sha256": "0123456789abcdef", "weights_sha256": "fedcba9876543210"})";

class Dists : public ::testing::Test {
 protected:
  MetricParams module_of(const std::string& body, const std::string& note = kNote) {
    torch::jit::Module module("Dists");
    module.define("def forward(self, a, b):\n  return " + body + "\n");
    const std::filesystem::path file = folder_.path() / "dists.pt";
    module.save(file.string(), {{"dists.json", note}});
    return with_module("dists", file);
  }

  std::string refusal(const MetricParams& params) {
    return error_of([&] { make_metric("dists", params); });
  }

  ScratchFolder folder_;
};

TEST_F(Dists, GivesTheModulePicturesOnZeroToOne) {
  const auto metric = make_metric("dists", module_of("a.amin([1, 2, 3]) * (a - b).abs().amax([1, 2, 3])"));
  EXPECT_EQ(metric->info().version, "vgg16, trunk 0123456789ab, weights fedcba987654");
  const Tensor half = at::full({2, 3, 32, 32}, 0.5);
  EXPECT_DOUBLE_EQ(metric->score(pair(half, half + 0.25))[1].item<double>(), 0.125);
}

TEST_F(Dists, WithoutAModuleIsNanAndSaysHowToGetOne) {
  const auto metric = make_metric("dists");
  EXPECT_THAT(metric->unavailable(), HasSubstr("get it by: scripts/get_metric dists"));
  EXPECT_TRUE(std::isnan(metric->score(pair(at::rand({1, 3, 8, 8}), at::rand({1, 3, 8, 8}))).item<double>()));
}

TEST_F(Dists, RefusesWhatIsNoSuchModule) {
  EXPECT_THAT(refusal(module_of("a", kNote)), HasSubstr("its module answers [2, 3, 64, 64]; expected [2]"));
  EXPECT_THAT(refusal(module_of("a.mean([1, 2, 3])")), HasSubstr("does not find equal images 0 apart"));
  EXPECT_THAT(refusal(module_of("(a - b).mean([1, 2, 3])", "{}")), HasSubstr("its dists.json has no text"));
  EXPECT_THAT(refusal(with_module("dists", folder_.write("cut.pt", "PK"))),
              HasSubstr("cut.pt: not a TorchScript module"));
}

}  // namespace
}  // namespace roundtrip::metrics
