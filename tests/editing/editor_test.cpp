// The way back of an edit: without an editor it is the method's own; an editor drives every method that has a sampler.
#include "editing/editor.h"

#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/inversion_bench.h"

namespace roundtrip::editing {
namespace {

using at::Tensor;
using testing::error_of;
using testing::Setting;

std::unique_ptr<Method> method(const std::string& name, std::map<std::string, config::Params::Value> values = {}) {
  values["name"] = name;
  return inversion::make_method(name, config::Params("method", values));
}

// An editor of the tests' own: half way between both walks at every step.
class Halfway : public Editor {
 public:
  Task<Edit> edit(const Source& source, const Sampler& target, const Brief&) const override {
    Edit edit{.path = target.start(), .kept = {}};
    for (int i = target.run.grid.steps(); i >= 1; --i) {
      const diffusion::CfgPair pair = target.pair(i);
      const diffusion::CfgOut out =
          co_await inversion::predict_pair(target.run, edit.path.back(), i, pair, target.rows(pair));
      edit.path.push_back((source.x(i - 1) + target.step(edit.path.back(), out, i)) / 2);
    }
    co_return edit;
  }
};

const RegisteredEditor<Halfway> halfway({.name = "halfway", .summary = "of the tests", .source = {}});

class EditorTest : public ::testing::Test {
 protected:
  EditorTest() {
    setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
    setting.target = Conditioning{.tokens = at::full({2, 3}, 0.3, at::kDouble)};
  }

  static std::unique_ptr<Editor> editor(const std::string& name) {
    return make_editor(name, config::Params("editor", {{"name", name}}));
  }

  Trajectory edited(const Method& method, const std::string& name, bool is_edit = true) {
    engine::Engine engine(denoiser, {.batch = {.max_batch = 4}});
    engine::Cost cost;
    const inversion::Settings settings = setting.settings();
    const Problem run({.grid = diffusion::ddim_grid(testing::NoiseSchedule(testing::sd_schedule()), setting.steps),
                       .network = inversion::Network(engine, cost),
                       .source = setting.source,
                       .null = setting.null,
                       .settings = settings,
                       .noise = inversion::counter_noise(0, "sample")});
    Inversion inversion = testing::run_alone(engine, method.invert(run, x0));
    inversion = testing::run_alone(engine, method.fit(run, inversion));
    const Guidance guidance{is_edit ? *setting.target : setting.source, is_edit};
    const std::unique_ptr<Editor> driver = editor(name);
    SourceWalk walk;
    if (is_edit && driver->reads_walk()) {
      walk = testing::run_alone(engine, walk_source(method, *driver, run, inversion, {}));
    }
    return testing::run_alone(engine, way_back(method, *driver, run, inversion, walk, guidance, {})).path;
  }

  using Conditioning = diffusion::Conditioning;
  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Setting setting{.steps = 6, .w = 3};
};

TEST_F(EditorTest, WithoutAnEditorTheEditIsTheMethodsOwnToTheBit) {
  for (const auto& each : {method("ddim"), method("edict", {{"p", 0.93}, {"leapfrog", true}})}) {
    const Trajectory own = testing::round_trip(*each, denoiser, x0, setting).path;
    EXPECT_TRUE(at::equal(at::stack(own), at::stack(edited(*each, "none"))));
  }
}

TEST_F(EditorTest, AnEditorDrivesBothWalksOfAMethodWithASampler) {
  const Trajectory path = edited(*method("ddim"), "halfway");
  EXPECT_EQ(path.size(), 7u);
  const Tensor plain = edited(*method("ddim"), "none").back();
  const Tensor source = edited(*method("ddim"), "none", false).back();
  EXPECT_GT((path.back() - plain).abs().max().item<double>(), 1e-4);
  // Nearer to the reconstruction than the plain edit is.
  EXPECT_LT((path.back() - source).norm().item<double>(), (plain - source).norm().item<double>());
}

TEST_F(EditorTest, AReconstructionHasNoEditor) {
  const Trajectory plain = edited(*method("ddim"), "none", false);
  EXPECT_TRUE(at::equal(at::stack(plain), at::stack(edited(*method("ddim"), "halfway", false))));
}

TEST_F(EditorTest, AMethodWithSeveralLatentsRefusesAnEditor) {
  const auto edict = method("edict", {{"p", 0.93}, {"leapfrog", true}});
  const std::string error = error_of([&] { edited(*edict, "halfway"); }, ErrorKind::kType);
  EXPECT_NE(error.find("is not one latent that asks once a step"), std::string::npos) << error;
}

TEST_F(EditorTest, AnUnknownEditorNamesTheNearest) {
  const std::string error = error_of([&] { editor("halfwya"); }, ErrorKind::kMissing);
  EXPECT_NE(error.find("Did you mean 'halfway'?"), std::string::npos) << error;
}

}  // namespace
}  // namespace roundtrip::editing
