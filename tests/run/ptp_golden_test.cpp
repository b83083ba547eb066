// Prompt-to-Prompt on tiny-sd against a materialising implementation on diffusers (tests/golden/ptp): every case's
// walk, and its blend's masks exactly.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "editing/editor.h"
#include "run/golden_fixture.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using config::List;
using config::Map;
using config::Value;

constexpr const char* kSource = "a photo of a red circle on the left";

struct Case {
  const char* name;
  const char* target;
  std::map<std::string, Value> params = {};
  std::map<std::string, Value> blend = {};
  const char* method = "ddim";
};

Value words(const char* source, const char* target) { return List{std::string(source), std::string(target)}; }

config::Params params_of(const Case& c) {
  std::map<std::string, Value> all = {
      {"name", "prompt_to_prompt"}, {"mapper", "refine"}, {"cross", 0.4},      {"self", 0.6},
      {"self_max_tokens", 1024},    {"tail", "released"}, {"words", "strict"}, {"equalizer", Map{}}};
  for (const auto& [key, value] : c.params) all[key] = value;
  std::map<std::string, Value> blend = {{"words", List{}}, {"threshold", 0.3}, {"start", 0.2},
                                        {"minus", {}},     {"tokens", 256},    {"places", List{"down", "up"}}};
  for (const auto& [key, value] : c.blend) blend[key] = value;
  all["blend"] = Map(blend.begin(), blend.end());
  return config::Params("editor", all);
}

const std::vector<Case>& cases() {
  static const std::map<std::string, Value> kReplace = {{"mapper", "replace"}, {"cross", 0.8}, {"self", 0.4}};
  const auto with = [](std::map<std::string, Value> params, std::map<std::string, Value> more) {
    for (const auto& [key, value] : more) params[key] = value;
    return params;
  };
  const std::map<std::string, Value> pie = {{"equalizer", Map{{"circle", 2}}}};
  static const std::vector<Case> kCases = {
      {"plain", "a photo of a blue square on the left", {{"cross", 0}, {"self", 0}}},
      {"replace", "a photo of a blue square on the left", kReplace},
      {"replace_uneven", "a photo of a yellow circle on the right", kReplace},
      {"replace_uneven_shifted", "a photo of a yellow circle on the right", with(kReplace, {{"tail", "shifted"}})},
      {"refine_longer", "a photo of a large red circle on the left"},
      {"refine_shorter", "a red circle on the left"},
      {"refine_shorter_shifted", "a red circle on the left", {{"tail", "shifted"}}},
      {"refine_words",
       "a photo of a green circle on the left",
       {{"cross", Map{{"default", 0.4}, {"green", List{0.2, 0.7}}, {"left", 0.9}}}}},
      {"self_off", "a photo of a large red circle on the left", {{"self_max_tokens", 64}}},
      {"self_window", "a photo of a large red circle on the left", {{"self", List{0.3, 0.8}}}},
      {"reweight", kSource, {{"cross", 0.8}, {"self", 0.4}, {"equalizer", Map{{"red", 5}}}}},
      {"reweight_negative", kSource, {{"cross", 0.8}, {"self", 0.4}, {"equalizer", Map{{"red", -1}}}}},
      {"pie", "a photo of a green circle on the left", pie, {{"words", words("circle", "circle")}}},
      {"pie_up_only",
       "a photo of a green circle on the left",
       pie,
       {{"words", words("circle", "circle")}, {"places", List{"up"}}}},
      {"blend_half_size",
       "a photo of a green circle on the left",
       {},
       {{"words", words("red", "green")}, {"tokens", 64}, {"places", List{"mid"}}}},
      {"blend_minus",
       "a photo of a blue square on the left",
       kReplace,
       {{"words", words("circle", "square")}, {"minus", words("left", "left")}, {"start", 0}}},
      {"blend_absent",
       "a photo of a green circle on the left",
       {{"words", "released"}},
       {{"words", words("dog", "circle")}}},
      {"per_step_null", "a photo of a green circle on the left", {}, {{"words", words("red", "green")}}, "null_text"},
      {"direct",
       "a photo of a green circle on the left",
       {{"equalizer", Map{{"green", 2}}}},
       {{"words", words("red", "green")}},
       "direct"},
  };
  return kCases;
}

class PtpGolden : public GoldenFixture, public ::testing::WithParamInterface<Case> {
 protected:
  static Tensor value(const std::string& name) {
    static const model::SafetensorsFile file =
        model::SafetensorsFile::open(ROUNDTRIP_SOURCE_DIR "/tests/golden/ptp/ptp.safetensors");
    return file.tensor(name);
  }
  static bool has(const std::string& name) {
    static const model::SafetensorsFile file =
        model::SafetensorsFile::open(ROUNDTRIP_SOURCE_DIR "/tests/golden/ptp/ptp.safetensors");
    return file.entries().contains(name);
  }

  // The thresholds of the reference, chosen so that no mask hangs on rounding.
  static double threshold(const std::string& name) {
    static const std::map<std::string, double> kThresholds = {
        {"pie", 0.97},          {"pie_up_only", 0.94},   {"blend_half_size", 0.9}, {"blend_minus", 0.97},
        {"blend_absent", 0.92}, {"per_step_null", 0.94}, {"direct", 0.92}};
    return kThresholds.at(name);
  }

  editing::Edit edited(Case c) {
    if (has(std::string(c.name) + ".masks")) c.blend["threshold"] = threshold(c.name);
    const auto editor = editing::make_editor("prompt_to_prompt", params_of(c));
    inversion::Problem::Parts parts = problem(cost_);
    parts.source = model_->text->encode(kSource).conditioning;
    parts.settings.numbers[inversion::kWKey] = 7.5;
    const inversion::Problem p(parts);
    inversion::Inversion inversion;
    inversion.pivots = value("pivots").unbind(0);
    const std::string name = c.method;
    const auto method = GoldenFixture::method(name, kMethodParams.at(name));
    if (name == "direct") inversion = run(method->fit(p, inversion));
    if (name == "null_text") inversion.state["null_embeddings"] = value("nulls");
    editing::Brief brief;
    brief.source = model_->text->tokens(kSource);
    brief.target = model_->text->tokens(c.target);
    brief.h = brief.w = 16;
    const inversion::SourceWalk walk = run(editing::walk_source(*method, *editor, p, inversion, brief));
    const inversion::Guidance guidance{model_->text->encode(c.target).conditioning, true};
    return run(editing::way_back(*method, *editor, p, inversion, walk, guidance, brief));
  }

  static inline const std::map<std::string, Params> kMethodParams = {{"ddim", {}},
                                                                     {"direct", {{"target_scale", 0}}},
                                                                     {"null_text",
                                                                      {{"inner_steps", 10},
                                                                       {"early_stop", 1e-5},
                                                                       {"learning_rate", 1e-2},
                                                                       {"embedding", "per_step"},
                                                                       {"pivots", "ddim"}}}};
};

TEST_P(PtpGolden, WalksAsTheReferenceAndMasksExactly) {
  const Case& c = GetParam();
  const std::string name = c.name;
  const editing::Edit edit = edited(c);
  const Tensor expected = value(name + ".path").select(1, 1), actual = at::stack(edit.path);
  ASSERT_EQ(actual.sizes(), expected.sizes());
  EXPECT_LT((actual - expected).abs().max().item<double>(), 2e-3);
  if (!has(name + ".masks")) return;
  const Tensor masks = value(name + ".masks").view({-1, 2, 16, 16}).select(1, 1);
  EXPECT_TRUE(at::equal(edit.kept.at("blend_masks").to(at::kByte), masks));
}

INSTANTIATE_TEST_SUITE_P(Cases, PtpGolden, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace roundtrip::run
