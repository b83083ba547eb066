// Rows that MasaCtrl, Plug-and-Play and pix2pix-zero ask for, and what they refuse.
#include <gtest/gtest.h>

#include "editing/editor.h"
#include "support/error_of.h"
#include "support/inversion_bench.h"

namespace roundtrip::editing {
namespace {

using diffusion::Place;
using testing::error_of;
using Values = std::map<std::string, config::Params::Value>;

// Takes plans, and has no attention to carry them out with. What it compares is 0, and so is its gradient.
class Unattentive : public testing::ConditionedDenoiser {
 public:
  Tensor out(const diffusion::Batch& batch) override {
    for (const diffusion::LinkedRows& rows : batch.linked) {
      rows.seen->watched.assign(rows.plan->watches.size(), at::ones({1, 1}, at::kDouble));
      if (!rows.plan->compares.empty()) rows.seen->loss = (batch.x * 0).sum();
    }
    return ConditionedDenoiser::out(batch);
  }
  bool takes_plans() const override { return true; }
};

class Editors : public ::testing::Test {
 protected:
  Editors() {
    prompts_.null = tokens(-0.04);
    prompts_.source = tokens(0.05);
  }

  static diffusion::Conditioning tokens(double value) { return {.tokens = at::full({2, 3}, value, at::kDouble)}; }

  static std::unique_ptr<Editor> editor(const std::string& name, const Values& more = {}) {
    static const std::map<std::string, Values> defaults = {
        {"masactrl",
         {{"start", int64_t{4}},
          {"depth", int64_t{10}},
          {"mode", "source"},
          {"words", config::List{}},
          {"threshold", 0.1},
          {"tokens", std::monostate{}}}},
        {"plug_and_play",
         {{"attention", 0.5},
          {"features", 0.8},
          {"depth", int64_t{8}},
          {"resnet", "up_blocks.1.resnets.1"},
          {"negative_prompt", std::monostate{}}}},
        {"pix2pix_zero", {{"learning_rate", 0.1}, {"halves", "shared"}, {"negative", "source"}}}};
    Values values = defaults.at(name);
    values["name"] = name;
    for (const auto& [key, value] : more) values[key] = value;
    return make_editor(name, config::Params("editor", values));
  }

  struct Prompts {
    diffusion::Conditioning source, null;
  };

  struct Edited {
    Trajectory path, plain;  // by the editor, and under the target prompt against the source's
    engine::Cost cost;       // of the editor's
  };

  // By DDIM.
  Edited edited(const Editor& editor, int steps, double w = 7.5) {
    engine::Engine engine(denoiser_, {.batch = {.max_batch = 4}});
    engine::Cost before, cost;
    const auto parts = [&](engine::Cost& charged) {
      return Problem::Parts{.grid = diffusion::ddim_grid(testing::NoiseSchedule(testing::sd_schedule()), steps),
                            .network = inversion::Network(engine, charged),
                            .source = prompts_.source,
                            .null = prompts_.null,
                            .settings = {.numbers = {{inversion::kWKey, w}, {inversion::kEtaKey, 0.0}}},
                            .noise = inversion::counter_noise(0, "sample")};
    };
    const Problem inverting(parts(before)), sampling(parts(cost));
    const auto ddim = inversion::make_method("ddim", config::Params("method", {{"name", "ddim"}}));
    const Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
    const Inversion inversion = testing::run_alone(engine, ddim->invert(inverting, x0));
    Brief brief;
    for (const std::string& prompt : editor.prompts()) brief.embeddings[prompt] = tokens(0.2);
    SourceWalk walk;
    if (editor.reads_walk()) {
      walk = testing::run_alone(engine, walk_source(*ddim, editor, inverting, inversion, brief));
    }
    const Guidance guidance{tokens(0.3), true};
    Edited result;
    result.path = testing::run_alone(engine, way_back(*ddim, editor, sampling, inversion, walk, guidance, brief)).path;
    result.cost = cost;
    const Sampler plain(inverting, inversion.pivots.back(),
                        [&](int) { return diffusion::CfgPair{guidance.conditioning, prompts_.source}; });
    result.plain = testing::run_alone(engine, inversion::walk(plain));
    return result;
  }
  engine::Cost cost_of(const Editor& editor, int steps, double w = 7.5) { return edited(editor, steps, w).cost; }

  // A network shaped like SD-1.x at 64 x 64: blocks 0-5 down, 6 mid, 7-15 up.
  static NetworkFacts network() {
    NetworkFacts facts{.sites = {}, .resnets = {"mid_block.resnets.0", "up_blocks.1.resnets.1"}, .h = 64, .w = 64};
    for (int depth = 0; depth < 16; ++depth) {
      const Place place = depth < 6 ? Place::kDown : depth == 6 ? Place::kMid : Place::kUp;
      static constexpr int kSides[] = {64, 64, 32, 32, 16, 16, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64};
      facts.sites.push_back({place, depth, kSides[depth], kSides[depth]});
    }
    facts.guidance_scale = 7.5;
    return facts;
  }

  static void expect_refused(const Editor& editor, const NetworkFacts& facts, const std::string& message) {
    const std::string error = error_of([&] { editor.require(facts); }, ErrorKind::kType);
    EXPECT_NE(error.find(message), std::string::npos) << error;
  }

  Unattentive denoiser_;
  Prompts prompts_;
};

TEST_F(Editors, MasaCtrlFromAnEmptyPromptAsksForThreeRowsAStep) {
  EXPECT_EQ(cost_of(*editor("masactrl"), 50).rows, 4 * 2 + 46 * 4);
  prompts_.source = prompts_.null;
  EXPECT_EQ(cost_of(*editor("masactrl"), 50).rows, 4 * 2 + 46 * 3);  // 146
  EXPECT_EQ(cost_of(*editor("masactrl"), 50, /*w=*/1).rows, 4 + 46 * 2);
  EXPECT_EQ(editor("masactrl")->released_nfe(50), 200);
}

TEST_F(Editors, PlugAndPlayAsksForTheSourceInItsWindows) {
  EXPECT_EQ(cost_of(*editor("plug_and_play"), 50).rows, 40 * 3 + 10 * 2);  // 140
  const Values negative = {{"negative_prompt", "ugly"}};
  EXPECT_EQ(cost_of(*editor("plug_and_play", negative), 50).rows, 140);
  EXPECT_EQ(editor("plug_and_play")->released_nfe(50), 150);
}

TEST_F(Editors, Pix2PixZeroDifferentiatesThreeRowsAStepAndAsksForTwoMore) {
  for (const char* halves : {"shared", "released"}) {
    const engine::Cost cost = cost_of(*editor("pix2pix_zero", {{"halves", halves}}), 50);
    EXPECT_EQ(cost.grad_rows, 50 * 3);
    EXPECT_EQ(cost.rows, 50 * 2 + 50 * 3);
  }
  EXPECT_EQ(editor("pix2pix_zero")->released_nfe(50), 300);
}

TEST_F(Editors, Pix2PixZeroWithoutALearningRateIsThePlainWalkToTheBit) {
  for (const char* halves : {"shared", "released"}) {
    const Edited still = edited(*editor("pix2pix_zero", {{"learning_rate", 0.0}, {"halves", halves}}), 6);
    EXPECT_TRUE(at::equal(at::stack(still.path), at::stack(still.plain))) << halves;
  }
}

TEST_F(Editors, AllRefuseANetworkWithoutAttentionAndNoTarget) {
  for (const char* name : {"masactrl", "plug_and_play", "pix2pix_zero"}) {
    NetworkFacts facts = network();
    EXPECT_NO_THROW(editor(name)->require(facts)) << name;
    facts.guidance_scale = 0;
    expect_refused(*editor(name), facts, "guidance_scale: found 0");
    NetworkFacts bare = network();
    bare.sites.clear();
    expect_refused(*editor(name), bare, "no attention layers");
  }
}

TEST_F(Editors, MasaCtrlRefusesWhatTheNetworkLacks) {
  expect_refused(*editor("masactrl", {{"depth", int64_t{16}}}), network(),
                 "editor.depth: found 16; expected one of the network's transformer blocks, 0 to 15");
  const Values by_words = {{"mode", "auto"}};
  expect_refused(*editor("masactrl", by_words), network(), "editor.words: found null, and the dataset names no blend");
  NetworkFacts named = network();
  named.edits_name_words = true;
  EXPECT_NO_THROW(editor("masactrl", by_words)->require(named));
  expect_refused(*editor("masactrl", {{"mode", "auto"}, {"tokens", int64_t{100}}}), named,
                 "editor.tokens: no attention layer has 100 tokens; expected one of 4096, 1024, 256, 64");
}

TEST_F(Editors, MasaCtrlInRegionsNeedsAMask) {
  const auto regions = editor("masactrl", {{"mode", "regions"}});
  const std::string error = error_of([&] { cost_of(*regions, 5); }, ErrorKind::kInput);
  EXPECT_NE(error.find("editor.mode: found regions; the dataset gives this edit no mask"), std::string::npos) << error;
}

TEST_F(Editors, PlugAndPlayRefusesWhatTheNetworkLacks) {
  const Values misspelt = {{"resnet", "up_block.1.resnets.1"}};
  expect_refused(*editor("plug_and_play", misspelt), network(), "Did you mean 'up_blocks.1.resnets.1'?");
  expect_refused(*editor("plug_and_play", {{"depth", int64_t{16}}}), network(),
                 "editor.depth: found 16; expected at most 15");
  Values unused = misspelt;
  unused["features"] = 0.0;
  EXPECT_NO_THROW(editor("plug_and_play", unused)->require(network()));
}

}  // namespace
}  // namespace roundtrip::editing
