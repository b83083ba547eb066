// structure_distance with modules made here; tests/parity/structure_distance_test.py holds real ones against
// transformers.
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
using Values = std::map<std::string, config::Params::Value>;

constexpr const char* kNote = R"({"network": "made here", "weights_sha256": "0123456789abcdef"})";
// Prepared pixels as they were on [0, 1].
constexpr const char* kUnprepared =
    "(x * torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1) + torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1))";

class StructureDistance : public ::testing::Test {
 protected:
  MetricParams module_of(const std::string& body, Values values = {}, const std::string& note = kNote) {
    torch::jit::Module module("Keys");
    module.define("def forward(self, x):\n  u = " + std::string(kUnprepared) + "\n  return " + body + "\n");
    const std::filesystem::path file = folder_.path() / "keys.pt";
    module.save(file.string(),
                note.empty() ? torch::jit::ExtraFilesMap{} : torch::jit::ExtraFilesMap{{"structure.json", note}});
    values["path"] = file.string();
    return {{"structure_distance", config::Params("metric.structure_distance", std::move(values))}};
  }

  double score(const MetricParams& params, const Tensor& reference, const Tensor& test) {
    return make_metric("structure_distance", params)->score(pair(reference, test)).item<double>();
  }

  ScratchFolder folder_;
};

Tensor grey(double value, int64_t height = 224, int64_t width = 224) { return at::full({1, 3, height, width}, value); }

// Two tokens (1, 0) and (cos a, sin a), where a is the picture's grey: C is 1 but for two entries cos a.
TEST_F(StructureDistance, IsTheMeanSquaredDifferenceOfCosines) {
  const std::string keys =
      "torch.stack([torch.stack([torch.ones(x.size(0)), torch.zeros(x.size(0))], 1), 5 * "
      "torch.stack([u[:, 0, 0, 0].cos(), u[:, 0, 0, 0].sin()], 1)], 1)";
  const double expected = 2 * std::pow(std::cos(0.25) - std::cos(0.75), 2) / 4;
  EXPECT_NEAR(score(module_of(keys), grey(0.25), grey(0.75)), expected, 1e-6);
  EXPECT_EQ(score(module_of(keys), grey(0.25), grey(0.25)), 0);
}

TEST_F(StructureDistance, KeysOfLengthZeroAreUnlikeAll) {
  const std::string keys = "torch.ones([x.size(0), 2, 1]) * (u[:, 0, 0, 0] > 0.5).reshape(-1, 1, 1)";
  EXPECT_EQ(score(module_of(keys), grey(0.25), grey(0.75)), 1);  // zeros against ones
}

// Keys (1, 0) and (0, 1) only for the size that is expected; all alike otherwise.
TEST_F(StructureDistance, BringsPicturesToTorchvisionsSize) {
  const auto is_size = [&](int64_t height, int64_t width, int64_t to_height, int64_t to_width) {
    const std::string keys = "torch.ones([x.size(0), x.size(2) * 1000 + x.size(3), 1])";
    const std::string size = std::to_string(to_height * 1000 + to_width);
    const std::string found = error_of([&] {
      score(module_of("torch.ones([x.size(0), x.size(2) * 1000 + x.size(3)])"), grey(0, height, width),
            grey(0, height, width));
    });
    EXPECT_THAT(found, HasSubstr("its module answers [2, " + size + "]; expected keys [2, tokens, width]"));
  };
  is_size(512, 512, 224, 224);
  is_size(100, 100, 224, 224);
  is_size(512, 768, 224, 336);
  is_size(500, 333, 336, 224);  // 336.3
  is_size(100, 214, 224, 479);  // 479.4
  is_size(100, 215, 223, 480);  // 224 x 481 is too long
  is_size(800, 200, 480, 120);
}

TEST_F(StructureDistance, FiltersBeforeItShrinksUnlessToldNot) {
  // Stripes one pixel wide vanish under a filter; without one some pixels remain black or white.
  const Tensor stripes = (at::arange(672) % 2).to(at::kFloat).expand({1, 3, 672, 672}).contiguous();
  const std::string spread = "torch.stack([torch.ones(x.size(0)), u.flatten(1).std(1)], 1).reshape(-1, 2, 1)";
  const std::string keys =
      "torch.cat([torch.ones([x.size(0), 2, 1]), torch.stack([torch.zeros(x.size(0)), "
      "u.flatten(1).std(1) * 2], 1).reshape(-1, 2, 1)], 2)";
  const Tensor flat = grey(0.5, 672, 672);
  EXPECT_LT(score(module_of(keys), flat, stripes), 1e-3);
  EXPECT_LT(score(module_of(keys, {{"antialias", true}}), flat, stripes), 1e-3);
  EXPECT_GT(score(module_of(keys, {{"antialias", false}}), flat, stripes), 0.02);
}

TEST_F(StructureDistance, NormalisesBytesIfToldTo) {
  const std::string keys =
      "torch.stack([torch.ones([x.size(0), 1]).expand(-1, 2), torch.stack([u[:, 2, 3, 4] * 0 + 1, "
      "u[:, 2, 3, 4]], 1)], 1)";
  const auto expected = [](double a, double b) {
    const auto cosine = [](double value) { return (1 + value) / std::sqrt(2 * (1 + value * value)); };
    return 2 * std::pow(cosine(a) - cosine(b), 2) / 4;
  };
  EXPECT_NEAR(score(module_of(keys, {{"range", "unit"}}), grey(0), grey(0.5)), expected(0, 0.5), 1e-6);
  EXPECT_NEAR(score(module_of(keys, {{"range", "bytes"}}), grey(0), grey(0.5)), expected(0, 127.5), 1e-6);
}

TEST_F(StructureDistance, NamesItsNetworkAndHowItPrepares) {
  EXPECT_EQ(make_metric("structure_distance", module_of("x"))->info().version,
            "1, made here 0123456789ab, antialiased, range 0..1");
  EXPECT_EQ(
      make_metric("structure_distance", module_of("x", {{"antialias", false}, {"range", "bytes"}}))->info().version,
      "1, made here 0123456789ab, not antialiased, range 0..255");
}

TEST_F(StructureDistance, HasNoMeaningOnParts) {
  const MetricInfo& info = Metric::Plugins::info("structure_distance");
  EXPECT_TRUE(info.whole_pictures);
  EXPECT_EQ(info.background, Background::kNone);
}

TEST_F(StructureDistance, RefusesWhatIsNoSuchModule) {
  const auto refusal = [&](const MetricParams& params) {
    return error_of([&] { make_metric("structure_distance", params); });
  };
  EXPECT_THAT(refusal(module_of("x", {}, "")), HasSubstr("keys.pt: holds no structure.json"));
  EXPECT_THAT(refusal(module_of("x", {}, R"({"network": "x"})")), HasSubstr("has no text 'weights_sha256'"));
  EXPECT_THAT(error_of([&] { score(module_of("x"), grey(0), grey(0)); }),
              HasSubstr("its module answers [2, 3, 224, 224]; expected keys [2, tokens, width]"));
  EXPECT_THAT(
      error_of([&] { make_metric("structure_distance", module_of("x", {{"range", "byte"}})); }, ErrorKind::kType),
      HasSubstr("metric.structure_distance.range: found 'byte' of type str; expected one of"));
}

}  // namespace
}  // namespace roundtrip::metrics
