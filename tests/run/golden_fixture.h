// The Stable-Diffusion-shaped model of tests/golden and what plain PyTorch on diffusers made of it, 10 steps each way.
#pragma once

#include <gtest/gtest.h>

#include "model/model_folder.h"
#include "model/safetensors.h"
#include "support/inversion_bench.h"

namespace roundtrip::run {

class GoldenFixture : public ::testing::Test {
 protected:
  using Params = std::map<std::string, config::Params::Value>;

  static void SetUpTestSuite() {
    model_ = new model::Model(model::open_model({.path = ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd"}));
    golden_ = new model::SafetensorsFile(
        model::SafetensorsFile::open(ROUNDTRIP_SOURCE_DIR "/tests/golden/tiny-sd/golden.safetensors"));
  }
  static void TearDownTestSuite() {
    delete model_;
    delete golden_;
  }

  static at::Tensor golden(const std::string& name) { return golden_->tensor(name); }

  inversion::Problem::Parts problem(engine::Cost& cost) {
    return {.grid = model_->grid(10, 32, 32),
            .network = inversion::Network(engine_, cost),
            .source = source_.conditioning,
            .null = null_.conditioning,
            .settings = {},
            .noise = inversion::counter_noise(0, "golden")};
  }

  static std::unique_ptr<inversion::Method> method(const std::string& name, Params params = {}) {
    params["name"] = name;
    return inversion::make_method(name, config::Params("method", params));
  }

  template <typename T>
  T run(engine::Task<T> task) {
    return testing::run_alone(engine_, std::move(task));
  }

  static void expect_close(const inversion::Trajectory& path, const std::string& name) {
    const at::Tensor expected = golden(name), actual = at::stack(path);
    ASSERT_EQ(actual.sizes(), expected.sizes()) << name;
    for (int64_t i = 0; i < expected.size(0); ++i) {
      const double error = (actual[i] - expected[i]).abs().max().item<double>();
      EXPECT_LT(error, 1e-4 * expected[i].abs().max().item<double>()) << name << " at entry " << i;
    }
  }

  // Tokenizer and text encoder are part of what is tested: prompts 1, 0 and 2 of prompts.json.
  model::TextEncoder::Encoded source_ = model_->text->encode("a red circle on the left");
  model::TextEncoder::Encoded null_ = model_->text->encode("");
  model::TextEncoder::Encoded target_ = model_->text->encode("A photo of a CAT's dog!");
  engine::Engine engine_{*model_->denoiser, {.batch = {.max_batch = 4}}};
  engine::Cost cost_;

  static inline model::Model* model_ = nullptr;
  static inline model::SafetensorsFile* golden_ = nullptr;
};

}  // namespace roundtrip::run
