// The scorer with metrics registered here, each of which wants another input.
#include "session/scorer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "diffusion/denoiser.h"
#include "session/edit_scores.h"

namespace roundtrip::session {
namespace {

// The mean of one input of each picture.
template <Tensor metrics::Inputs::* kInput>
class MeanOf : public metrics::Metric {
 public:
  using Metric::Metric;
  Tensor score(const metrics::Inputs& inputs) override { return (inputs.*kInput).to(at::kDouble).flatten(1).mean(1); }
  Tensor encode_caption(const std::string& caption) const override {
    return at::full({2}, static_cast<int64_t>(caption.size()), at::kLong);
  }
};

using metrics::Inputs;
using metrics::Metric;
const Registered<Metric, MeanOf<&Inputs::mask>> of_mask({.name = "of_mask", .label = "", .wants = {.mask = true}});
const Registered<Metric, MeanOf<&Inputs::target>> of_target({.name = "of_target", .wants = {.target = true}});
const Registered<Metric, MeanOf<&Inputs::caption>> of_caption({.name = "of_caption", .wants = {.caption = true}});
const Registered<Metric, MeanOf<&Inputs::x>> of_latent({.name = "of_latent", .wants = {.latents = true}});
const Registered<Metric, MeanOf<&Inputs::reference>> of_reference({.name = "of_reference"});

class NoNetwork : public diffusion::Denoiser {
 public:
  Tensor out(const diffusion::Batch&) override { return {}; }
};

Pair pair_of(double value) {
  Pair pair{.reference = at::full({3, 4, 4}, value), .test = at::zeros({3, 4, 4}), .x0 = {}, .x = {}, .caption = "abc"};
  pair.x0 = pair.x = at::full({4, 2, 2}, 10 * value);
  return pair;
}

engine::Task<void> score(Scorer& scorer, Pair pair, Scores& scores) {
  engine::Task<Scores> scoring = scorer.score(std::move(pair));
  scores = co_await scoring;
}

// All in one batch.
std::vector<Scores> scores_of(const std::vector<std::string>& names, const std::vector<Pair>& pairs) {
  NoNetwork network;
  engine::Engine engine(network, {.batch = {.max_batch = 4}, .max_live = 4});
  Scorer scorer(names, {}, at::kCPU);
  scorer.join(engine, 4);
  std::vector<Scores> scores(pairs.size());
  size_t next = 0;
  engine.run(
      [&]() -> std::optional<engine::Task<void>> {
        if (next == pairs.size()) return std::nullopt;
        const size_t k = next++;
        return score(scorer, pairs[k], scores[k]);
      },
      [] { return false; });
  return scores;
}

TEST(Scorer, FeedsAMetricByWhatItWants) {
  Pair whole = pair_of(0.5);
  whole.mask = at::zeros({1, 4, 4}, at::kBool);
  whole.mask.narrow(1, 0, 1).fill_(true);
  whole.target = at::full({3, 4, 4}, -0.5);
  const std::vector<Scores> scores =
      scores_of({"of_caption", "of_mask", "of_latent", "of_target", "of_reference"}, {whole, pair_of(-1)});
  EXPECT_EQ(scores[0].at("of_mask"), 0.25);
  EXPECT_EQ(scores[0].at("of_target"), 0.25);  // on [0, 1]
  EXPECT_EQ(scores[0].at("of_caption"), 3);
  EXPECT_EQ(scores[0].at("of_latent"), 5);
  EXPECT_EQ(scores[0].at("of_reference"), 0.75);
  // A sample that has neither rides in the same batch.
  EXPECT_TRUE(std::isnan(scores[1].at("of_mask")));
  EXPECT_TRUE(std::isnan(scores[1].at("of_target")));
  EXPECT_EQ(scores[1].at("of_latent"), -10);
}

// Counts the pictures that it scores.
class Counter : public metrics::Metric {
 public:
  using Metric::Metric;
  Tensor score(const metrics::Inputs& inputs) override {
    pictures += inputs.test.size(0);
    return at::zeros({inputs.test.size(0)}, at::kDouble);
  }
  inline static int64_t pictures = 0;
};

const Registered<Metric, Counter> counter({.name = "counter", .background = metrics::Background::kComposite});

engine::Task<void> score_background(Scorer& scorer, Pair pair, Scores& scores) {
  engine::Task<Scores> scoring = scorer.score(columns::View::kZeroedBackground, std::move(pair));
  scores = co_await scoring;
}

// Of PIE-Bench's edits a tenth may change everything, and networks cost most of a score's time.
TEST(Scorer, AsksNoMetricAboutABackgroundThatIsEmpty) {
  NoNetwork network;
  engine::Engine engine(network, {.batch = {.max_batch = 4}, .max_live = 4});
  Scorer scorer({"counter"}, {}, at::kCPU);
  scorer.join(engine, 4);
  std::vector<Scores> scores(3);
  size_t next = 0;
  engine.run(
      [&]() -> std::optional<engine::Task<void>> {
        if (next == scores.size()) return std::nullopt;
        const size_t k = next++;
        Pair pair = pair_of(0.5);
        pair.mask = at::full({1, 4, 4}, k == 1, at::kBool);
        return score_background(scorer, std::move(pair), scores[k]);
      },
      [] { return false; });
  EXPECT_EQ(scores[0].at("background_zeroed_counter"), 0);
  EXPECT_TRUE(std::isnan(scores[1].at("background_zeroed_counter")));
  EXPECT_EQ(scores[2].at("background_zeroed_counter"), 0);
  EXPECT_EQ(Counter::pictures, 2);
}

TEST(Scorer, NeedsNoLatentsWhereNoMetricWantsThem) {
  Pair pair = pair_of(1);
  pair.x0 = pair.x = Tensor();
  EXPECT_EQ(scores_of({"of_reference"}, {pair})[0].at("of_reference"), 1);
}

std::vector<std::string> names_of(const std::string& metric, bool edits, bool with_floor,
                                  const Protocol& protocol = {}) {
  std::vector<std::string> names;
  for (const store::Column& column : score_columns(Metric::Plugins::info(metric), protocol, edits, with_floor)) {
    names.push_back(column.name);
    EXPECT_EQ(column.metric, metric);
  }
  return names;
}

TEST(ScoreColumns, FollowFromWhatTheMetricSaysOfItself) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_of("psnr", true, true),
            (Names{"psnr", "codec_psnr", "edit_psnr", "background_zeroed_psnr", "codec_background_zeroed_psnr",
                   "background_psnr", "codec_background_psnr"}));
  EXPECT_EQ(names_of("psnr", true, true, {.pie = Pie::kReleased}),
            (Names{"psnr", "codec_psnr", "edit_psnr", "background_zeroed_psnr", "codec_background_zeroed_psnr"}));
  EXPECT_EQ(names_of("lpips", true, false, {.pie = Pie::kReleased, .whole_perceptual = false}),
            (Names{"edit_lpips", "background_zeroed_lpips"}));
  EXPECT_EQ(names_of("psnr", true, false, {.pie = Pie::kReleased, .whole_perceptual = false}).front(), "psnr");
  EXPECT_EQ(names_of("clip_similarity", true, true), (Names{"clip_similarity", "edited_part_clip_similarity"}));
  EXPECT_EQ(names_of("clip_similarity", true, true, {.pie = Pie::kReleased}),
            (Names{"clip_similarity", "edited_part_clip_similarity", "source_clip_similarity"}));
  EXPECT_EQ(names_of("mse", true, true), (Names{"mse", "edit_mse", "background_zeroed_mse", "background_mse"}));
  EXPECT_EQ(names_of("lpips", true, true),
            (Names{"lpips", "codec_lpips", "edit_lpips", "background_zeroed_lpips", "codec_background_zeroed_lpips",
                   "background_lpips", "codec_background_lpips"}));
  EXPECT_EQ(names_of("psnr", true, false), (Names{"psnr", "edit_psnr", "background_zeroed_psnr", "background_psnr"}));
  EXPECT_EQ(names_of("psnr", false, true), (Names{"psnr", "codec_psnr"}));
  for (const char* own : {"latent_mse", "of_mask"}) EXPECT_EQ(names_of(own, true, true), Names{own});
  const store::Column psnr = score_columns(Metric::Plugins::info("psnr"), {}, false, false).front();
  EXPECT_EQ(psnr.label, "PSNR");
  EXPECT_EQ(psnr.compares, "pictures");
  EXPECT_EQ(psnr.direction, "higher");
}

}  // namespace
}  // namespace roundtrip::session
