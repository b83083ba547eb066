// attribute_accuracy with classifiers made here, whose answers stand in the picture's first values.
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

using testing::HasSubstr;

constexpr const char* kNote = R"({"version": "abc", "heads": [
  {"kind": "background", "place": "", "answers": ["green", "grey"]},
  {"kind": "colour", "place": "on the left", "answers": ["red", "blue", "nothing"]},
  {"kind": "size", "place": "on the left", "answers": ["small", "large"]},
  {"kind": "colour", "place": "on the right", "answers": ["red", "blue", "nothing"]},
  {"kind": "size", "place": "on the right", "answers": ["small", "large"]}]})";

constexpr const char* kPair = "a small red circle on the left and a large blue star on the right, on a grey background";
constexpr const char* kOne = "a large blue star on the right, on a green background";

class AttributeAccuracy : public testing::Test {
 protected:
  MetricParams module_of(const std::string& body, const std::string& note = kNote) {
    torch::jit::Module module("Classifier");
    module.define("def forward(self, x):\n  return " + body + "\n");
    const std::filesystem::path file = folder_.path() / "attributes.pt";
    module.save(file.string(), {{"attributes.json", note}});
    return with_module("attribute_accuracy", file);
  }

  // The score of a picture in which the classifier sees these answers, a digit for each head.
  double score(const std::string& answers, const std::string& caption) {
    const auto metric = make_metric("attribute_accuracy", module_of("x.flatten(1)[:, :12]"));
    Tensor picture = at::zeros({1, 3, 4, 4});
    const std::vector<int64_t> first = {0, 2, 5, 7, 10};
    for (size_t head = 0; head < answers.size(); ++head) picture.view(-1)[first[head] + (answers[head] - '0')] = 1;
    return metric->score(pair(metric->encode_caption(caption).unsqueeze(0), picture)).item<double>();
  }

  ScratchFolder folder_;
};

TEST_F(AttributeAccuracy, CountsEachAttributeThatTheCaptionNames) {
  EXPECT_EQ(score("10011", kPair), 1);        // grey, red, small, blue, large
  EXPECT_EQ(score("00011", kPair), 4.0 / 5);  // the background is green
  EXPECT_EQ(score("10111", kPair), 4.0 / 5);  // the left one is large
  EXPECT_EQ(score("11000", kPair), 2.0 / 5);  // both colours and the right size are wrong
  EXPECT_EQ(score("10021", kPair), 4.0 / 5);  // nothing on the right: no colour, though a size is made up
}

TEST_F(AttributeAccuracy, CountsWhatIsThereUnnamed) {
  EXPECT_EQ(score("02011", kOne), 1);        // green, blue, large, and nothing on the left
  EXPECT_EQ(score("00011", kOne), 3.0 / 4);  // something on the left
  EXPECT_EQ(score("02111", kOne), 1);        // the size of nothing does not count
}

TEST_F(AttributeAccuracy, SaysNothingOfOtherCaptions) {
  EXPECT_TRUE(std::isnan(score("02011", "a photo of a dog")));
  EXPECT_TRUE(std::isnan(score("02011", "")));
}

TEST_F(AttributeAccuracy, GivesTheClassifierPicturesOnMinusOneToOne) {
  // Green where the first value is above 0, so a 0.25 on [0, 1] is grey.
  const auto metric =
      make_metric("attribute_accuracy", module_of("x.flatten(1)[:, :12] * 0 + x[:, 0, 0, :1] * "
                                                  "torch.tensor([1., 0., 0., 0., 1., 0., 0., 0., 0., 1., 0., 1.])"));
  const Tensor wanted = metric->encode_caption(kOne).unsqueeze(0);
  EXPECT_EQ(metric->score(pair(wanted, at::full({1, 3, 4, 4}, 0.75)))[0].item<double>(), 3.0 / 4);
  EXPECT_EQ(metric->score(pair(wanted, at::full({1, 3, 4, 4}, 0.25)))[0].item<double>(), 0.0 / 4);
}

TEST_F(AttributeAccuracy, AScoreDoesNotDependOnItsBatch) {
  const auto metric = make_metric("attribute_accuracy", module_of("x.flatten(1)[:, :12]"));
  const Tensor pictures = at::rand({6, 3, 4, 4});
  const Tensor wanted =
      at::stack({metric->encode_caption(kPair), metric->encode_caption(kOne), metric->encode_caption(kPair),
                 metric->encode_caption(""), metric->encode_caption(kOne), metric->encode_caption(kPair)});
  const Tensor together = metric->score(pair(wanted, pictures));
  for (int64_t k = 0; k < 6; ++k) {
    const Tensor alone = metric->score(pair(wanted.narrow(0, k, 1), pictures.narrow(0, k, 1)));
    EXPECT_TRUE(at::equal(alone.nan_to_num(-1), together.narrow(0, k, 1).nan_to_num(-1)));
  }
}

TEST_F(AttributeAccuracy, NotANumberInGivesNotANumberOut) {
  const auto metric = make_metric("attribute_accuracy", module_of("x.flatten(1)[:, :12]"));
  EXPECT_TRUE(metric->score(pair(metric->encode_caption(kOne).unsqueeze(0), at::full({1, 3, 4, 4}, std::nan(""))))
                  .isnan()
                  .item<bool>());
}

TEST_F(AttributeAccuracy, WithoutAClassifierIsNanAndSaysWhereOneIs) {
  const auto metric = make_metric("attribute_accuracy");
  EXPECT_THAT(metric->unavailable(), HasSubstr("models/scenes/attributes.pt"));
  EXPECT_TRUE(
      metric->score(pair(metric->encode_caption(kOne).unsqueeze(0), at::rand({1, 3, 4, 4}))).isnan().item<bool>());
}

TEST_F(AttributeAccuracy, RefusesWhatIsNoClassifier) {
  const auto refusal = [](const MetricParams& options) -> std::string {
    try {
      const auto metric = make_metric("attribute_accuracy", options);
      metric->score(pair(metric->encode_caption(kOne).unsqueeze(0), at::rand({1, 3, 4, 4})));
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(refusal(module_of("x", R"({"version": "a"})")), HasSubstr("has no list 'heads'"));
  EXPECT_THAT(refusal(module_of("x", R"({"version": "a", "heads": [{"kind": 3}]})")), HasSubstr("has no list 'heads'"));
  EXPECT_THAT(refusal(module_of("x.flatten(1)[:, :11]")), HasSubstr("its module answers [1, 11]; expected [1, 12]"));
}

}  // namespace
}  // namespace roundtrip::metrics
