// MasaCtrl and Plug-and-Play on a Stable-Diffusion-shaped folder against plain PyTorch on diffusers
// (tests/golden/ptp/select_editors.py), and what every editor must leave as it is.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "editing/editor.h"
#include "run/golden_fixture.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using inversion::Inversion;
using inversion::Problem;
using inversion::Trajectory;

constexpr double kW = 7.5;
const char* const kSource = "a photo of a red circle on the left";
const char* const kTarget = "a photo of a blue square on the right";

struct Prompts {
  std::string source = kSource, target = kTarget;
};

class EditorsGolden : public GoldenFixture {
 protected:
  static void SetUpTestSuite() {
    GoldenFixture::SetUpTestSuite();
    editors_ = new model::SafetensorsFile(
        model::SafetensorsFile::open(ROUNDTRIP_SOURCE_DIR "/tests/golden/ptp/editors.safetensors"));
  }
  static void TearDownTestSuite() {
    delete editors_;
    GoldenFixture::TearDownTestSuite();
  }

  EditorsGolden() { inversion_.pivots = expected("pivots").unbind(0); }

  static Tensor expected(const std::string& name) { return editors_->tensor(name); }
  static diffusion::Conditioning embed(const std::string& prompt) { return model_->text->encode(prompt).conditioning; }

  static Params masactrl(Params more = {}) {
    Params params = {{"start", int64_t{2}},     {"depth", int64_t{2}}, {"mode", "source"},
                     {"words", config::List{}}, {"threshold", 0.1},    {"tokens", std::monostate{}}};
    for (auto& [key, value] : more) params[key] = value;
    return params;
  }
  static Params plug_and_play(Params more = {}) {
    Params params = {{"attention", 0.5},
                     {"features", 0.8},
                     {"depth", int64_t{3}},
                     {"resnet", "up_blocks.1.resnets.1"},
                     {"negative_prompt", std::monostate{}}};
    for (auto& [key, value] : more) params[key] = value;
    return params;
  }
  static Params pix2pix_zero(double learning_rate) {
    return {{"learning_rate", learning_rate}, {"halves", "released"}, {"negative", "source"}};
  }

  // The target's path, and the source's walk where the editor reads it.
  struct Edited {
    Trajectory path, walk;
  };
  Edited edit(const std::string& name, Params params, editing::Brief brief = {}, const Prompts& prompts = {}) {
    params["name"] = name;
    const auto editor = editing::make_editor(name, config::Params("editor", params));
    inversion::Problem::Parts parts = problem(cost_);
    parts.source = prompts.source.empty() ? parts.null : embed(prompts.source);
    parts.settings.numbers[inversion::kWKey] = kW;
    const Problem run_on(parts);
    const auto ddim = method("ddim");
    const inversion::Guidance guidance{prompts.target == prompts.source ? parts.source : embed(prompts.target), true};
    brief.h = brief.w = 16;
    brief.source = model_->text->tokens(prompts.source);
    brief.target = model_->text->tokens(prompts.target);
    editing::SourceWalk walk;
    if (editor->reads_walk()) walk = run(editing::walk_source(*ddim, *editor, run_on, inversion_, brief));
    Trajectory path = run(editing::way_back(*ddim, *editor, run_on, inversion_, walk, guidance, brief)).path;
    return {std::move(path), std::move(walk.path)};
  }

  // The way back of no editor, under the pair given.
  Trajectory plain(const diffusion::Conditioning& c, const diffusion::Conditioning& negative) {
    inversion::Problem::Parts parts = problem(cost_);
    parts.settings.numbers[inversion::kWKey] = kW;
    const Problem run_on(parts);
    const inversion::Sampler sampler(run_on, inversion_.pivots.back(),
                                     [&](int) { return diffusion::CfgPair{c, negative}; });
    return run(inversion::walk(sampler));
  }

  static double difference(const Trajectory& path, const Tensor& expected) {
    return (at::stack(path) - expected).abs().max().item<double>();
  }
  static void expect_golden(const Edited& edited, const std::string& name) {
    const Tensor both = expected(name + ".path");
    const double target = difference(edited.path, both.select(1, 1)), walk = difference(edited.walk, both.select(1, 0));
    RecordProperty("target", std::to_string(target));
    RecordProperty("source", std::to_string(walk));
    EXPECT_LT(target, 2e-3);
    EXPECT_LT(walk, 2e-3);
  }

  const at::NoGradGuard no_grad_;
  Inversion inversion_;
  static inline model::SafetensorsFile* editors_ = nullptr;
};

TEST_F(EditorsGolden, MasaCtrl) { expect_golden(edit("masactrl", masactrl()), "masactrl"); }

TEST_F(EditorsGolden, MasaCtrlFromAnEmptySourcePrompt) {
  expect_golden(edit("masactrl", masactrl(), {}, {.source = ""}), "masactrl_empty_source");
}

TEST_F(EditorsGolden, MasaCtrlOfBothKeys) {
  expect_golden(edit("masactrl", masactrl({{"mode", "union"}})), "masactrl_union");
}

TEST_F(EditorsGolden, MasaCtrlInGivenRegions) {
  const Tensor regions = expected("masactrl_mask.regions") == 1;
  editing::Brief brief;
  brief.source_mask = regions[0];
  brief.mask = regions[1].unsqueeze(0);
  expect_golden(edit("masactrl", masactrl({{"mode", "regions"}}), brief), "masactrl_mask");
}

TEST_F(EditorsGolden, MasaCtrlInTheRegionsOfWords) {
  // "red" is column 5 of the source; the others are columns 5 to 8 of the target.
  const config::List words = {"red", config::List{"blue", "square", "on", "the"}};
  const Params params = masactrl({{"mode", "auto"}, {"words", words}, {"threshold", 0.3}, {"tokens", int64_t{256}}});
  expect_golden(edit("masactrl", params), "masactrl_auto");
}

TEST_F(EditorsGolden, PlugAndPlay) {
  editing::Brief brief;
  brief.embeddings["small dog"] = embed("small dog");
  const Edited edited = edit("plug_and_play", plug_and_play({{"negative_prompt", "small dog"}}), brief);
  const double target = difference(edited.path, expected("plug_and_play.path"));
  RecordProperty("target", std::to_string(target));
  EXPECT_LT(target, 2e-3);
}

TEST_F(EditorsGolden, WithoutControlTheEditIsThePlainWalkToTheBit) {
  const Trajectory under_null = plain(embed(kTarget), null_.conditioning);
  const auto expect_plain = [&](const std::string& name, const Params& params) {
    EXPECT_TRUE(at::equal(at::stack(edit(name, params).path), at::stack(under_null))) << name;
  };
  expect_plain("masactrl", masactrl({{"start", int64_t{10}}}));
  expect_plain("plug_and_play", plug_and_play({{"attention", 0.0}, {"features", 0.0}}));
  const Trajectory under_source = plain(embed(kTarget), embed(kSource));
  EXPECT_TRUE(at::equal(at::stack(edit("pix2pix_zero", pix2pix_zero(0)).path), at::stack(under_source)));
}

TEST_F(EditorsGolden, AUnionWithOneselfIsPlainAttention) {
  const Edited same = edit("masactrl", masactrl({{"mode", "union"}}), {}, {.target = kSource});
  EXPECT_LT(difference(same.path, at::stack(same.walk)), 2e-3);
}

TEST_F(EditorsGolden, TheGradientBringsTheMapsNearerToTheSources) {
  const Problem run_on(problem(cost_));
  const diffusion::Conditioning source = embed(kSource), target = embed(kTarget);
  auto plan = std::make_shared<diffusion::AttentionPlan>();
  plan->compares.push_back({.sites = {}, .row = 0, .source = 1});
  const auto ask = [&](const Tensor& x) {
    std::vector<engine::Row> rows;
    rows.emplace_back(x, run_on.grid[10].t, target);
    rows.emplace_back(inversion_.pivots[10].clone(), run_on.grid[10].t, source);
    const auto task = [&]() -> engine::Task<engine::OutAndGradient> {
      const engine::Cotangent none = [](const std::vector<Tensor>& out) {
        return std::vector<Tensor>{at::zeros_like(out[0]), at::zeros_like(out[1])};
      };
      std::vector<Tensor> wrt = {x};
      co_return co_await run_on.network.out_vjp(rows, plan, wrt, none);
    };
    return run(task());
  };
  Tensor x = inversion_.pivots[10];
  engine::OutAndGradient seen = ask(x);
  for (int step = 0; step < 3; ++step) {
    const double before = seen.plan_loss.item<double>();
    EXPECT_GT(before, 0);
    x = x - 0.1 * seen.gradient();
    seen = ask(x);
    EXPECT_LT(seen.plan_loss.item<double>(), before) << "step " << step;
  }
}

}  // namespace
}  // namespace roundtrip::run
