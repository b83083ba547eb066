// Null-text, prompt tuning and negative prompt at 50 steps on a trained pixel-space model (golden/cifar10-tiny,
// recorded from plain PyTorch on diffusers): about half of the inner steps stop early, so the stopping rule counts at
// every step.
//
// Some thousand evaluations with gradients: half a minute of a release build, and left out of sanitizer builds.
#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/dataset.h"
#include "model/model_folder.h"
#include "model/safetensors.h"
#include "support/inversion_bench.h"
#include "support/shared_material.h"

#ifdef __SANITIZE_ADDRESS__
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

namespace roundtrip::run {
namespace {

using at::Tensor;
using inversion::Inversion;
using inversion::Trajectory;

struct Ways {
  Inversion inversion;
  Trajectory reconstruction, edit;
};

// Pixels on [-1, 1], clamped; the metric is on [0, 1].
double psnr(const Tensor& a, const Tensor& b) {
  const double mse = ((a.clamp(-1, 1) - b.clamp(-1, 1)) / 2).square().mean().item<double>();
  return -10 * std::log10(mse);
}

constexpr double kAfterAnotherCount = 1e-2;  // 5.4e-3 was seen

double threshold_at(int i) { return 1e-5 + 2e-5 * (50 - i); }

// The recorded losses, one after another, cut where the stopping rule of ten inner steps cuts them; from step 50.
std::vector<std::vector<double>> steps_of(const Tensor& losses) {
  std::vector<std::vector<double>> steps;
  bool ended = true;
  for (int64_t j = 0; j < losses.numel(); ++j) {
    if (ended) steps.emplace_back();
    const double loss = losses[j].item<double>();
    steps.back().push_back(loss);
    ended = steps.back().size() == 10 || loss < threshold_at(50 - static_cast<int>(steps.size()) + 1);
  }
  return steps;
}

class GoldenCifar : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "some thousand evaluations are too many for a sanitizer build";
    ROUNDTRIP_NEEDS_SHARED("golden/cifar10-tiny");
    ROUNDTRIP_NEEDS_SHARED("models/cifar10-tiny");
    model_.emplace(model::open_model({.path = shared_material("models/cifar10-tiny").string()}));
    golden_.emplace(model::SafetensorsFile::open(shared_material("golden/cifar10-tiny/golden.safetensors").string()));
    std::ifstream file(shared_material("golden/cifar10-tiny/cases.json"));
    cases_ = nlohmann::json::parse(file);
    engine_.emplace(*model_->denoiser, engine::EngineOptions{.batch = {.max_batch = 8}});
  }

  diffusion::Conditioning embed(const std::string& prompt) const { return model_->text->encode(prompt).conditioning; }

  Tensor image(const std::string& file_name) const {
    data::DatasetOptions options;
    options.name = "folder";
    options.path = shared_material("data/cifar10/test");
    options.ids = {file_name.substr(0, file_name.find('.'))};
    const data::Sample sample = data::open_dataset(options)->read(0);
    const Tensor bytes = at::tensor(at::ArrayRef<uint8_t>(sample.pixels.rgb), at::kByte);
    return bytes.view({sample.pixels.height, sample.pixels.width, 3}).permute({2, 0, 1}).to(at::kFloat) / 127.5 - 1;
  }

  engine::Task<void> go_both_ways(const inversion::Method& method, const nlohmann::json& one, Ways& ways) {
    inversion::Settings settings;
    settings.invert_w = method.default_invert_w(7.5);
    settings.numbers[inversion::kWKey] = 7.5;
    const inversion::Problem p({.grid = model_->grid(one["steps"], 32, 32),
                                .network = inversion::Network(*engine_, cost_),
                                .source = embed(one["text"]),
                                .null = embed(""),
                                .settings = settings,
                                .noise = inversion::counter_noise(0, "golden")});
    const inversion::Guidance reconstructing{p.source}, editing{embed(one["target"]), true};
    ways.inversion = co_await method.invert(p, image(one["file_name"]));
    ways.inversion = co_await method.fit(p, ways.inversion);
    ways.reconstruction = co_await method.sample(p, ways.inversion, reconstructing);
    ways.edit = co_await method.sample(p, ways.inversion, editing);
  }

  // All images at once, so that batches fill.
  std::vector<Ways> go(const inversion::Method& method) {
    std::vector<Ways> all(cases_.size());
    size_t next = 0;
    engine_->run([&]() -> std::optional<engine::Task<void>> {
      if (next == all.size()) return std::nullopt;
      engine::Task<void> task = go_both_ways(method, cases_[next], all[next]);
      ++next;
      return task;
    });
    return all;
  }

  static std::unique_ptr<inversion::Method> method(const std::string& name,
                                                   std::map<std::string, config::Params::Value> params) {
    params["name"] = name;
    return inversion::make_method(name, config::Params("method", params));
  }

  // Step by step, each loss. Two machines may disagree on when a step ends only where the loss that decided it lay
  // within `loss_tolerance` of the threshold (update 229 of image 1 is 6e-8 from it); what follows has then had an
  // update more or less, and is compared as loosely as that moves it.
  void expect_fit(const std::vector<Ways>& all, const std::string& prefix, const std::string& updates,
                  double loss_tolerance) {
    for (size_t k = 0; k < all.size(); ++k) {
      const auto recorded = steps_of(golden_->tensor(fmt::format("{}.{}.losses", k, prefix)));
      ASSERT_EQ(recorded.size(), size_t{50}) << "image " << k;
      double tolerance = loss_tolerance;
      size_t count = 0;
      for (int i = 50; i >= 1; --i) {
        const std::vector<double>& expected = recorded[50 - i];
        const std::vector<double>& losses = all[k].inversion.losses.at(i);
        count += losses.size();
        const size_t both = std::min(losses.size(), expected.size());
        ASSERT_GT(both, size_t{0}) << "image " << k << ", step " << i;
        for (size_t j = 0; j < both; ++j) {
          EXPECT_NEAR(losses[j], expected[j], tolerance * expected[j])
              << "image " << k << ", step " << i << ", update " << j;
        }
        if (losses.size() == expected.size()) continue;
        EXPECT_NEAR(expected[both - 1], threshold_at(i), tolerance * threshold_at(i))
            << "image " << k << ", step " << i << ": " << losses.size() << " updates for " << expected.size();
        tolerance = std::max(tolerance, kAfterAnotherCount);
      }
      const double expected_count = cases_[k]["inner_updates"][updates];
      EXPECT_NEAR(static_cast<double>(count), expected_count, 0.02 * expected_count) << "image " << k;
      const double quality = psnr(all[k].reconstruction.back(), all[k].inversion.pivots.front());
      EXPECT_NEAR(quality, cases_[k]["psnr"][prefix + ".recon"], 0.02) << "image " << k;
    }
  }

  std::optional<model::Model> model_;
  std::optional<model::SafetensorsFile> golden_;
  std::optional<engine::Engine> engine_;
  nlohmann::json cases_;
  engine::Cost cost_;
};

const std::map<std::string, config::Params::Value> kFit = {
    {"inner_steps", int64_t{10}}, {"learning_rate", 1e-2}, {"early_stop", 1e-5}};

TEST_F(GoldenCifar, NullText) {
  auto params = kFit;
  params["pivots"] = std::string("ddim");
  params["embedding"] = std::string("per_step");
  const std::vector<Ways> all = go(*method("null_text", params));
  expect_fit(all, "nti", "null_text", 1e-3);
  for (size_t k = 0; k < all.size(); ++k) {
    const double same = psnr(all[k].edit.back(), golden_->tensor(fmt::format("{}.nti.edit", k))[0]);
    EXPECT_GT(same, 45) << "image " << k;
  }
}

TEST_F(GoldenCifar, PromptTuning) {
  auto params = kFit;
  params["eta_mix"] = 0.8;
  // At w = 7.5 the tuned row weighs 7.5 against null-text's 6.5, and rounding that differs from the recording machine's
  // grows from step to step: losses were seen to stray by 4.3e-2 where update counts and PSNR agree.
  expect_fit(go(*method("prompt_tuning", params)), "pti", "prompt_tuning", 5e-2);
}

TEST_F(GoldenCifar, NegativePromptEdits) {
  const std::vector<Ways> all = go(*method("negative_prompt", {{"slerp", int64_t{0}}}));
  for (size_t k = 0; k < all.size(); ++k) {
    const double same = psnr(all[k].edit.back(), golden_->tensor(fmt::format("{}.npi.edit", k))[0]);
    EXPECT_GT(same, 45) << "image " << k;
    EXPECT_NEAR(psnr(all[k].reconstruction.back(), all[k].inversion.pivots.front()),
                cases_[k]["psnr"]["ddim.t.recon.w1"], 0.02);
  }
}

}  // namespace
}  // namespace roundtrip::run
