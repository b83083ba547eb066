// A folder of SD3, SD3.5, FLUX or DiT with the walks that plain PyTorch on diffusers recorded on it.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "model/model_folder.h"
#include "model/safetensors.h"
#include "support/inversion_bench.h"
#include "support/shared_material.h"

namespace roundtrip::testing {

using nlohmann::json;

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

  static at::Tensor golden(const std::string& name) {
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
    std::map<std::string, config::Params::Value> params;
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
    if (name == "rf_inversion") {
      params = {{"gamma", entry.value("gamma", 0.5)},     {"times", entry.value("times", "grid")},
                {"eta", entry.value("eta", 0.0)},         {"start_at", entry.value("start_at", 0.0)},
                {"stop_at", entry.value("stop_at", 1.0)}, {"decay_power", entry.value("decay_power", 0.0)}};
    }
    if (name == "flowedit") {
      params = {{"n_max", entry["n_max"].get<int64_t>()},
                {"n_min", entry["n_min"].get<int64_t>()},
                {"n_avg", entry["n_avg"].get<int64_t>()},
                {"source_guidance_scale", entry["source_guidance_scale"].get<double>()}};
    }
    if (name == "flowalign") params = {{"zeta", entry["zeta"].get<double>()}, {"n_max", int64_t{0}}};
    if (name == "dnaedit") {
      params = {{"upto", entry.value("upto_grid_index", int64_t{7})}, {"mvg", entry.value("mvg", 0.8)}};
    }
    if (name == "flowopt") {
      params = {{"iterations", entry["iterations"].get<int64_t>()},
                {"learning_rate", entry["learning_rate"].get<double>()}};
    }
    params["name"] = name;
    return inversion::make_method(name, config::Params("method", params));
  }

  inversion::Problem::Parts problem(const json& invert, const json& sample) {
    inversion::Settings settings;
    settings.guidance = model_->guidance;
    settings.eps_at = invert.value("eps_at", "t") == "t" ? inversion::EpsAt::kTo : inversion::EpsAt::kFrom;
    settings.invert_w = invert.value("invert_guidance_scale", 1.0);
    settings.numbers[inversion::kWKey] = sample.value("guidance_scale", 1.0);
    const at::Tensor image = golden("image");
    return {.grid = model_->grid(invert["steps"], image.size(2), image.size(3)),
            .network = inversion::Network(*engine_, cost_),
            .source = prompts_.at("cond"),
            .null = prompts_.at("null"),
            .settings = settings,
            .noise = inversion::counter_noise(0, "golden")};
  }

  template <typename T>
  T run(engine::Task<T> task) {
    return run_alone(*engine_, std::move(task));
  }

  void expect_close(const at::Tensor& actual, const std::string& name) const {
    const at::Tensor expected = golden(name);
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

}  // namespace roundtrip::testing
