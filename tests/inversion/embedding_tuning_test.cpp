// What null-text and prompt-tuning inversion have in common: one embedding is tuned, and nothing else changes.
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/inversion_bench.h"

namespace roundtrip::inversion {
namespace {

using testing::ConditionedDenoiser;
using testing::error_of;
using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;

// eps follows the tokens without bounds, as no saturating network does.
class LinearInTokens : public diffusion::Denoiser {
 public:
  Tensor out(const diffusion::Batch& batch) override {
    const auto& [x, t, conditioning, linked] = batch;
    return x * 0.2 + testing::per_row(conditioning.tokens.flatten(1).sum(1), x);
  }
};

struct Tuning {
  int64_t inner_steps = 10;
  double learning_rate = 1e-2, early_stop = 1e-5;
  std::string embedding = "per_step";
};

std::unique_ptr<Method> tuning_method(const std::string& name, const Tuning& tuning) {
  std::map<std::string, config::Params::Value> values = {{"name", name},
                                                         {"inner_steps", tuning.inner_steps},
                                                         {"learning_rate", tuning.learning_rate},
                                                         {"early_stop", tuning.early_stop}};
  if (name == "null_text") {
    values["pivots"] = std::string("ddim");
    values["embedding"] = tuning.embedding;
  }
  if (name == "prompt_tuning") values["eta_mix"] = 0.8;
  return make_method(name, config::Params("method", values));
}

class EmbeddingTuningTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Method> method(const Tuning& tuning = {}) const { return tuning_method(GetParam(), tuning); }
  RoundTrip trip(const Tuning& tuning, const Setting& setting) {
    return round_trip(*method(tuning), denoiser, x0, setting);
  }

  // Prompt tuning's pivots are those of w = 0.
  Setting setting(double w = 7.5) const {
    Setting s{.steps = 12, .invert_w = method()->default_invert_w(7.5), .w = w};
    s.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    s.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
    return s;
  }
  double unread_w() const { return GetParam() == "null_text" ? 1 : 0; }

  ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
};

double distance_from_pivots(const RoundTrip& trip) {
  return (trip.path.back() - trip.inversion.pivots.front()).square().mean().item<double>();
}

TEST_P(EmbeddingTuningTest, MoreInnerStepsKeepTheWalkNearerToThePivots) {
  const double untuned = distance_from_pivots(trip({.inner_steps = 0}, setting()));
  const double three = distance_from_pivots(trip({.inner_steps = 3, .early_stop = 0}, setting()));
  const double thirty = distance_from_pivots(trip({.inner_steps = 30, .early_stop = 0}, setting()));
  EXPECT_LT(three, untuned);
  EXPECT_LT(thirty, 0.1 * untuned);
}

TEST_P(EmbeddingTuningTest, WithoutInnerStepsItIsDdim) {
  const std::unique_ptr<Method> ddim = make_method("ddim", config::Params("method", {{"name", std::string("ddim")}}));
  const RoundTrip plain = round_trip(*ddim, denoiser, x0, setting()), untuned = trip({.inner_steps = 0}, setting());
  EXPECT_TRUE(at::equal(at::stack(plain.path), at::stack(untuned.path)));
  EXPECT_EQ(untuned.fit_cost.rows, 0);
  EXPECT_EQ(untuned.sample_cost.rows, 24);
}

TEST_P(EmbeddingTuningTest, SaysSoWhereGuidanceDoesNotReadWhatItTunes) {
  const RoundTrip trip = this->trip({}, setting(unread_w()));
  EXPECT_EQ(trip.fit_cost.rows, 0);
  EXPECT_EQ(trip.sample_cost.rows, 12);
  ASSERT_EQ(trip.inversion.notes.size(), 1u);
  EXPECT_NE(trip.inversion.notes[0].find("nothing was fitted"), std::string::npos) << trip.inversion.notes[0];
}

TEST_P(EmbeddingTuningTest, CostsTwoRowsAStepBesidesOneEachWayForEveryInnerStep) {
  const RoundTrip trip = this->trip({}, setting());
  int64_t inner = 0;
  for (const auto& [i, losses] : trip.inversion.losses) inner += losses.size();
  EXPECT_GT(inner, 12);
  EXPECT_EQ(trip.fit_cost.rows, inner + 2 * 12);
  EXPECT_EQ(trip.fit_cost.grad_rows, inner);
  EXPECT_EQ(trip.sample_cost.rows, 0);  // the fit has walked the way back
}

// The update that the small loss was computed for is still made: the step ends after it.
TEST_P(EmbeddingTuningTest, AStepEndsAfterAnUpdateFromALossBelowTheThreshold) {
  const std::vector<double> full = trip({.early_stop = 0}, setting()).inversion.losses.at(12);
  ASSERT_EQ(full.size(), 10u);
  const double early_stop = (full[3] + full[4]) / 2;  // k = 0 at the noisiest step
  const RoundTrip early = trip({.early_stop = early_stop}, setting());
  EXPECT_EQ(early.inversion.losses.at(12), std::vector<double>(full.begin(), full.begin() + 5));
  for (const auto& [i, losses] : early.inversion.losses) {
    const double threshold = early_stop + 2e-5 * (12 - i);
    for (size_t j = 0; j + 1 < losses.size(); ++j) EXPECT_GE(losses[j], threshold) << "step " << i;
  }
}

TEST_P(EmbeddingTuningTest, NoWeightAndNoOtherEmbeddingChanges) {
  const Setting s = setting();
  const Tensor source = s.source.tokens.clone(), null = s.null.tokens.clone();
  const RoundTrip trip = this->trip({}, s);
  EXPECT_TRUE(at::equal(s.source.tokens, source));
  EXPECT_TRUE(at::equal(s.null.tokens, null));
  EXPECT_FALSE(s.source.tokens.requires_grad() || s.null.tokens.requires_grad());
  for (const auto& [name, tensor] : trip.inversion.state) EXPECT_FALSE(tensor.requires_grad()) << name;
}

TEST_P(EmbeddingTuningTest, TheReconstructionIsWhatTheTunedEmbeddingsSample) {
  const Setting s = setting();
  const RoundTrip fitted = trip({}, s);
  // eta so small that its noise does not count makes the method sample anew.
  Setting anew = s;
  anew.eta = 1e-9;
  const RoundTrip sampled = trip({}, anew);
  EXPECT_EQ(sampled.sample_cost.rows, 24);
  EXPECT_LT((fitted.path.back() - sampled.path.back()).abs().max().item<double>(), 1e-6);
}

TEST_P(EmbeddingTuningTest, ADivergingOptimisationEndsWithStepAndLoss) {
  LinearInTokens linear;
  for (const double learning_rate : {1e2, 1e200}) {  // a loss that grows, and one that is not finite
    const std::string error = error_of(
        [&] { round_trip(*method({.learning_rate = learning_rate}), linear, x0, setting()); }, ErrorKind::kNumeric);
    EXPECT_NE(error.find("step 12 at t=914, after 2 inner steps (loss "), std::string::npos) << error;
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, EmbeddingTuningTest, ::testing::Values("null_text", "prompt_tuning"),
                         [](const auto& info) { return info.param; });

class GlobalEmbedding : public EmbeddingTuningTest {};

TEST_P(GlobalEmbedding, OneForAllStepsHelpsAndIsLessToKeep) {
  const RoundTrip untuned = trip({.inner_steps = 0}, setting());
  const RoundTrip one = trip({.inner_steps = 20, .embedding = "global"}, setting());
  EXPECT_LT(distance_from_pivots(one), 0.5 * distance_from_pivots(untuned));
  EXPECT_EQ(one.inversion.state.at("null_embeddings").sizes(), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(one.fit_cost.rows, 12 * (20 + 3));
  EXPECT_EQ(one.fit_cost.grad_rows, 12 * 20);
  EXPECT_EQ(one.sample_cost.rows, 0);
}

TEST_P(GlobalEmbedding, GuidesEveryStepOfAnEdit) {
  Setting s = setting();
  const RoundTrip reconstructed = trip({.embedding = "global"}, s);
  s.target = s.source;
  const RoundTrip edited = trip({.embedding = "global"}, s);
  EXPECT_EQ(edited.sample_cost.rows, 24);
  EXPECT_LT((edited.path.back() - reconstructed.path.back()).abs().max().item<double>(), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(NullText, GlobalEmbedding, ::testing::Values("null_text"));

TEST(PromptTuning, InvertsWithoutThePrompt) { EXPECT_EQ(tuning_method("prompt_tuning", {})->default_invert_w(7.5), 0); }

}  // namespace
}  // namespace roundtrip::inversion
