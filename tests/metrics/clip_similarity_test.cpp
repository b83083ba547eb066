// clip_similarity with modules made here; tests/parity/clip_similarity_test.py holds real ones against transformers.
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

constexpr const char* kNote = R"({"network": "made here", "weights_sha256": "0123456789abcdef"})";

class ClipSimilarity : public ::testing::Test {
 protected:
  // A module whose cosine is the picture's first value less the first id.
  MetricParams module_of(const std::string& body = "x.flatten(1)[:, 0] - ids[:, 0]", const std::string& note = kNote) {
    torch::jit::Module module("Clip");
    module.define("def forward(self, x, ids):\n  return " + body + "\n");
    const std::filesystem::path file = folder_.path() / "clip.pt";
    module.save(file.string(), {{"clip.json", note}});
    const std::filesystem::path tokenizer = folder_.path() / "clip.tokenizer";
    std::filesystem::create_directories(tokenizer);
    folder_.write("clip.tokenizer/vocab.json", R"({"a</w>": 0, "<|startoftext|>": 1, "<|endoftext|>": 2})");
    folder_.write("clip.tokenizer/merges.txt", "#version: 0.2\n");
    folder_.write("clip.tokenizer/tokenizer_config.json", R"({"model_max_length": 5})");
    return with_module("clip_similarity", file);
  }

  std::string refusal(const MetricParams& options) {
    return error_of([&] { make_metric("clip_similarity", options); });
  }

  ScratchFolder folder_;
};

TEST_F(ClipSimilarity, ReadsTheCaptionByTheTokenizerBesideTheModule) {
  const auto metric = make_metric("clip_similarity", module_of());
  EXPECT_TRUE(at::equal(metric->encode_caption("a"), at::tensor({1, 0, 2, 2, 2}, at::kLong)))
      << metric->encode_caption("a");
  EXPECT_THAT(metric->info().version, HasSubstr("made here 0123456789ab"));
}

TEST_F(ClipSimilarity, IsAHundredCosinesAndNeverNegative) {
  const auto metric = make_metric("clip_similarity", module_of());
  const Tensor ids = at::tensor({0, 0, 1}, at::kLong).unsqueeze(1);
  const Tensor pictures = at::full({3, 3, 4, 4}, 0.25) * at::tensor({1., 2., 1.}).reshape({3, 1, 1, 1});
  EXPECT_TRUE(at::equal(metric->score(pair(ids, pictures)), at::tensor({25., 50., 0.}, at::kDouble)));
}

TEST_F(ClipSimilarity, NotANumberInGivesNotANumberOut) {
  const auto metric = make_metric("clip_similarity", module_of("ids[:, 0] * 1.0"));
  Tensor pictures = at::zeros({2, 3, 4, 4});
  pictures[1][2][3][3] = std::nan("");
  const Tensor score = metric->score(pair(at::ones({2, 5}, at::kLong), pictures));
  EXPECT_EQ(score[0].item<double>(), 100);
  EXPECT_TRUE(std::isnan(score[1].item<double>()));
}

// The module counts the captions that it reads: they are embedded as (1, 1), (2, 1), (3, 1), ... and pictures as (1,
// 0).
TEST_F(ClipSimilarity, ReadsACaptionOnce) {
  const MetricParams options = module_of();
  torch::jit::Module module("Clip");
  module.register_buffer("count", at::zeros({1}));
  module.define(R"(
    def forward(self, x, ids):
      return x.flatten(1)[:, 0]
    def look(self, x):
      return torch.tensor([1., 0.]).expand(x.size(0), 2)
    def read(self, ids):
      self.count.add_(1)
      return torch.cat([self.count, torch.ones([1])]).expand(ids.size(0), 2)
  )");
  module.save(options.at("clip_similarity").get_path("path"), {{"clip.json", kNote}});
  const auto metric = make_metric("clip_similarity", options);
  const auto score = [&](at::IntArrayRef captions) {
    const Tensor ids = at::tensor(captions, at::kLong).unsqueeze(1);
    return metric->score(pair(ids, at::rand({ids.size(0), 3, 4, 4})));
  };
  const double first = 100 / std::sqrt(2), second = 200 / std::sqrt(5), third = 300 / std::sqrt(10);
  EXPECT_TRUE(at::allclose(score({7, 8, 7, 7}), at::tensor({first, second, first, first}, at::kDouble)));
  EXPECT_TRUE(at::allclose(score({8, 9}), at::tensor({second, third}, at::kDouble)));
}

TEST_F(ClipSimilarity, TakesAnyNetworkOfItsOwnFile) {
  const std::string path = module_of().at("clip_similarity").get_path("path");
  const auto asking = [&](const std::string& net) -> MetricParams {
    return {{"clip_similarity", config::Params("metric.clip_similarity", {{"path", path}, {"net", net}})}};
  };
  EXPECT_EQ(make_metric("clip_similarity", asking("made here"))->unavailable(), "");
  EXPECT_THAT(
      refusal(asking("vit-b-16")),
      HasSubstr("holds the network 'made here'; expected 'clip-vit-base-patch16' (metric.clip_similarity.net)"));
  const MetricParams without = {{"clip_similarity", config::Params("metric.clip_similarity", {{"net", "vit-x"}})}};
  EXPECT_THAT(error_of([&] { make_metric("clip_similarity", without); }, ErrorKind::kType), HasSubstr("vit-l-14"));
}

TEST_F(ClipSimilarity, IsNotANumberWithoutAModule) {
  const auto metric = make_metric("clip_similarity");
  EXPECT_THAT(metric->unavailable(), HasSubstr("get it by: scripts/get_metric clip-vit-l-14"));
  EXPECT_TRUE(metric->score(pair(metric->encode_caption("a").unsqueeze(0), at::zeros({1, 3, 4, 4})))
                  .isnan()
                  .all()
                  .item<bool>());
}

TEST_F(ClipSimilarity, RefusesWhatIsNoSuchModule) {
  EXPECT_THAT(refusal(module_of("x", "")), HasSubstr("clip.json"));
  EXPECT_THAT(refusal(module_of("x", R"({"network": "x"})")), HasSubstr("weights_sha256"));
  MetricParams alone = module_of();
  std::filesystem::remove_all(folder_.path() / "clip.tokenizer");
  EXPECT_THAT(refusal(alone), HasSubstr("clip.tokenizer"));
  const auto metric = make_metric("clip_similarity", module_of("x"));
  const auto scored = [&] { metric->score(pair(at::ones({1, 5}, at::kLong), at::zeros({1, 3, 4, 4}))); };
  EXPECT_THAT(error_of(scored), HasSubstr("expected [1]"));
}

}  // namespace
}  // namespace roundtrip::metrics
