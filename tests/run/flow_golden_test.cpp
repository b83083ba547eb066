// Whole walks on folders of SD3, SD3.5, FLUX and DiT against plain PyTorch on diffusers: text encoders, autoencoder,
// network, grid and methods together. Deterministic methods only; a method that is not registered is passed over.
#include <algorithm>
#include <map>
#include <set>

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "model/model_folder.h"
#include "model/safetensors.h"
#include "support/inversion_bench.h"
#include "support/shared_material.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using inversion::EpsAt;
using inversion::Inversion;
using inversion::Trajectory;
using nlohmann::json;
using Params = std::map<std::string, config::Params::Value>;

class FlowWalks : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ROUNDTRIP_NEEDS_SHARED("flow");
    const at::NoGradGuard no_grad;
    cases_ = read_json(shared_material("flow/golden/cases.json"))["cases"];
    model_.emplace(model::open_model({.path = shared_material("flow/models/" + GetParam())}));
    engine_.emplace(*model_->denoiser, engine::EngineOptions{.batch = {.max_batch = 4}});
    const json z0 = recorded("z0");
    for (const auto& [name, prompt] : z0["prompts"].items()) {
      prompts_[name] = model_->text->encode(prompt).conditioning;
    }
  }

  static Tensor golden(const std::string& name) {
    static const model::SafetensorsFile file =
        model::SafetensorsFile::open(shared_material("flow/golden/golden.safetensors"));
    return file.tensor(GetParam() + "/" + name);
  }
  json recorded(const std::string& name) const {
    for (const json& entry : cases_) {
      if (entry["key"] == GetParam() + "/" + name) return entry;
    }
    return {};
  }
  // The recorded walks of a method, by the last word of their names.
  std::vector<std::string> names(const std::string& method, const std::string& what) const {
    std::vector<std::string> found;
    for (const json& entry : cases_) {
      const std::string key = entry["key"];
      if (!key.starts_with(GetParam() + "/") || entry.value("method", "") != method) continue;
      if (key.find("." + what) != std::string::npos) found.push_back(key.substr(GetParam().size() + 1));
    }
    return found;
  }

  static std::unique_ptr<inversion::Method> method(const std::string& name, const json& entry) {
    Params params;
    if (name == "fixed_point") {
      params = {{"iterations", entry["iterations"].get<int64_t>()},
                {"tolerance", 0.0},
                {"acceleration", std::string("none")},
                {"window", int64_t{3}},
                {"tikhonov", 1e-10}};
    }
    if (name == "edict") params = {{"p", entry["p"].get<double>()}, {"leapfrog", entry["leapfrog"].get<bool>()}};
    if (name == "bdia") params = {{"gamma", entry["gamma"].get<double>()}, {"second_latent", true}};
    if (name == "belm") params = {{"second_latent", true}};
    if (name == "direct") params = {{"target_scale", 0.0}};
    if (name == "negative_prompt") params = {{"slerp", 0.0}};
    if (name == "uni_inv") params = {{"zero_init", entry.value("zero_init", false)}};
    if (name == "mccallum_foster") params = {{"zeta", entry["zeta"].get<double>()}};
    if (name == "null_text") {
      params = {{"inner_steps", entry["inner_steps"].get<int64_t>()},
                {"learning_rate", entry["learning_rate"].get<double>()},
                {"early_stop", entry["early_stop"].get<double>()},
                {"pivots", std::string("ddim")},
                {"embedding", std::string("per_step")}};
    }
    params["name"] = name;
    return inversion::make_method(name, config::Params("method", params));
  }

  inversion::Problem::Parts problem(const json& invert, const json& sample) {
    inversion::Settings settings;
    settings.guidance = model_->guidance;
    settings.eps_at = invert.value("eps_at", "t") == "t" ? EpsAt::kTo : EpsAt::kFrom;
    settings.invert_w = invert.value("invert_guidance_scale", 1.0);
    settings.numbers[inversion::kWKey] = sample.value("guidance_scale", 1.0);
    const Tensor image = golden("image");
    return {.grid = model_->grid(invert["steps"], image.size(2), image.size(3)),
            .network = inversion::Network(*engine_, cost_),
            .source = prompts_.at("cond"),
            .null = prompts_.at("null"),
            .settings = settings,
            .noise = inversion::counter_noise(0, "golden")};
  }

  template <typename T>
  T run(engine::Task<T> task) {
    return testing::run_alone(*engine_, std::move(task));
  }

  void expect_close(const Tensor& actual, const std::string& name) const {
    const Tensor expected = golden(name);
    ASSERT_EQ(actual.sizes(), expected.sizes()) << name;
    const double largest = expected.abs().max().item<double>();
    EXPECT_LT((actual - expected).abs().max().item<double>(), recorded(name)["tolerance"].get<double>() * largest)
        << GetParam() << " " << name;
  }

  json cases_;
  std::optional<model::Model> model_;
  std::optional<engine::Engine> engine_;
  std::map<std::string, diffusion::Conditioning> prompts_;
  engine::Cost cost_;
};

const std::vector<std::string> kMethods = {"ddim",    "fixed_point", "edict",    "bdia",           "belm",
                                           "uni_inv", "midpoint",    "fireflow", "mccallum_foster"};

TEST_P(FlowWalks, PivotsOfEveryMethodAtEveryGuidance) {
  size_t compared = 0;
  for (const std::string& each : kMethods) {
    if (!inversion::Method::Plugins::has(each)) continue;
    for (const std::string& name : names(each, "pivots")) {
      const json entry = recorded(name);
      const inversion::Problem p(problem(entry, json::object()));
      expect_close(at::stack(run(method(each, entry)->invert(p, golden("z0")[0])).pivots), name);
      ++compared;
    }
  }
  EXPECT_GE(compared, 2u);
}

TEST_P(FlowWalks, WaysBackOfEveryMethodAtEveryGuidance) {
  size_t compared = 0;
  for (const std::string& each : kMethods) {
    if (!inversion::Method::Plugins::has(each)) continue;
    for (const std::string what : {"recon", "edit"}) {
      for (const std::string& name : names(each, what)) {
        const json entry = recorded(name);
        // Where the record names no walk that it starts from, it is the method's own: its name up to the last word.
        std::string start = entry.value("start", "pivots[-1]");
        start = start.substr(0, start.find('['));
        if (start == "pivots") start = name.substr(0, name.find("." + what)) + ".pivots";
        const json up = recorded(start);
        const inversion::Problem p(problem(up, entry));
        const auto way = method(each, entry);
        const Inversion inverted = run(way->invert(p, golden("z0")[0]));
        const bool is_edit = entry.value("prompt", "") == "target";
        const inversion::Guidance guidance{is_edit ? prompts_.at("target") : p.source, is_edit};
        expect_close(at::stack(run(way->sample(p, inverted, guidance))), name);
        ++compared;
      }
    }
  }
  EXPECT_GE(compared, 2u);
}

TEST_P(FlowWalks, CorrectionsOfDirectInversion) {
  for (const std::string& name : names("direct", "corrections")) {
    const json entry = recorded(name);
    const std::string pivots = entry["pivots"];
    const inversion::Problem p(problem(recorded(pivots), entry));
    const auto direct = method("direct", entry);
    Inversion inverted = run(direct->invert(p, golden("z0")[0]));
    inverted = run(direct->fit(p, std::move(inverted)));
    expect_close(inverted.state.at("corrections"), name);
  }
}

TEST_P(FlowWalks, EditsAgainstTheSourcePrompt) {
  for (const std::string& name : names("negative_prompt", "edit")) {
    const json entry = recorded(name);
    const inversion::Problem p(problem(recorded("ddim.t.w1.pivots"), entry));
    const auto way = method("negative_prompt", entry);
    const Inversion inverted = run(way->invert(p, golden("z0")[0]));
    const inversion::Guidance guidance{prompts_.at("target"), true};
    expect_close(at::stack(run(way->sample(p, inverted, guidance))), name);
  }
}

TEST_P(FlowWalks, NullTextTunesTheTokensAndKeepsThePooledVector) {
  for (const std::string& name : names("null_text", "recon")) {
    const json entry = recorded(name);
    const std::string prefix = name.substr(0, name.find(".recon"));
    const inversion::Problem p(problem(recorded("ddim.t.w1.pivots"), entry));
    const auto tuning = method("null_text", recorded(prefix + ".losses"));
    Inversion fitted = run(tuning->invert(p, golden("z0")[0]));
    fitted = run(tuning->fit(p, std::move(fitted)));
    std::vector<double> losses;
    for (int i = p.grid.steps(); i >= 1; --i) {
      losses.insert(losses.end(), fitted.losses.at(i).begin(), fitted.losses.at(i).end());
    }
    expect_close(at::tensor(losses, at::kDouble), prefix + ".losses");
    const inversion::Guidance guidance{p.source};
    expect_close(at::stack(run(tuning->sample(p, fitted, guidance))), name);
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, FlowWalks,
                         ::testing::Values("tiny-sd3", "tiny-sd35", "tiny-flux", "tiny-flux-schnell", "tiny-dit"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace roundtrip::run
