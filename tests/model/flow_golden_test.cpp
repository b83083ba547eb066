// The transformers of SD3, SD3.5, FLUX and DiT with their text encoders and autoencoders, against what diffusers and
// transformers made of the same folders.
#include <algorithm>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/json.h"
#include "model/model_folder.h"
#include "model/safetensors.h"
#include "support/shared_material.h"

namespace roundtrip::model {
namespace {

using at::Tensor;
using diffusion::Conditioning;
using nlohmann::json;

constexpr double kText = 1e-4, kNetwork = 3e-5, kGradient = 1e-3;  // of the largest value

class FlowGolden : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ROUNDTRIP_NEEDS_SHARED("flow"); }

  static Tensor golden(const std::string& name) {
    static const SafetensorsFile file = SafetensorsFile::open(shared_material("flow/golden/golden.safetensors"));
    return file.tensor(GetParam() + "/" + name);
  }
  static json recorded(const std::string& name) {
    static const json cases = read_json(shared_material("flow/golden/cases.json"));
    for (const json& entry : cases["cases"]) {
      if (entry["key"] == GetParam() + "/" + name) return entry;
    }
    return {};
  }
  static Model& model() {
    static std::map<std::string, Model> models;
    const auto found = models.find(GetParam());
    if (found != models.end()) return found->second;
    return models.emplace(GetParam(), open_model({.path = shared_material("flow/models/" + GetParam())})).first->second;
  }
  static bool reads_text() { return GetParam() != "tiny-dit"; }

  // The conditioning of rows under prompts, each told its guidance scale if the recorded rows were.
  static Conditioning rows_of(const std::vector<std::string>& prompts, const json& guidance) {
    std::vector<Conditioning> rows;
    for (size_t r = 0; r < prompts.size(); ++r) {
      rows.push_back(model().text->encode(prompts[r]).conditioning);
      if (model().guidance != diffusion::GuidanceWay::kTold) continue;
      rows.back().guidance = at::scalar_tensor(guidance[r].get<double>(), at::kDouble);
    }
    std::vector<const Conditioning*> pointers;
    for (const Conditioning& row : rows) pointers.push_back(&row);
    return stack(pointers);
  }
  static void expect_near(const Tensor& actual, const Tensor& expected, double tolerance, const std::string& what) {
    ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
    const Tensor wanted = expected.to(at::kDouble);
    const double error = (actual.to(at::kDouble) - wanted).abs().max().item<double>();
    EXPECT_LT(error, tolerance * wanted.abs().max().item<double>()) << GetParam() << " " << what;
  }
};

TEST_P(FlowGolden, PredictsThreeRowsWithTimesPromptsAndScalesOfTheirOwn) {
  const c10::NoGradGuard no_grad;
  const json entry = recorded("net.*");
  const Conditioning rows = rows_of(entry["prompts"].get<std::vector<std::string>>(), entry["guidance"]);
  expect_near(model().denoiser->out({golden("net.x"), golden("net.t"), rows}), golden("net.out"), kNetwork, "net.out");
}

TEST_P(FlowGolden, PredictsAnotherSize) {
  if (!reads_text()) GTEST_SKIP() << "DiT takes squares, and one size of them is recorded";
  const c10::NoGradGuard no_grad;
  const json odd = recorded("net.*")["odd"];
  const Conditioning row = rows_of({odd["prompt"]}, json::array({odd["guidance"]}));
  const Tensor t = at::full({1}, odd["t"].get<double>(), at::kDouble);
  expect_near(model().denoiser->out({golden("net.odd_x"), t, row}), golden("net.odd_out"), kNetwork, "net.odd_out");
}

TEST_P(FlowGolden, GradientsReachTheLatentAndTheTokens) {
  if (!reads_text()) GTEST_SKIP() << "no gradient of DiT is recorded";
  const json entry = recorded("net.*");
  const std::vector<std::string> prompts = entry["prompts"];
  Conditioning row = rows_of({prompts[1]}, entry["guidance"].is_null() ? json() : json::array({entry["guidance"][1]}));
  row.tokens = row.tokens.clone().requires_grad_(true);
  const Tensor x = golden("net.x").narrow(0, 1, 1).clone().requires_grad_(true);
  const Tensor out = model().denoiser->out({x, golden("net.t").narrow(0, 1, 1), row});
  const auto gradients = torch::autograd::grad({out.square().mean()}, {x, row.tokens});
  expect_near(gradients[0], golden("net.grad_x"), kGradient, "net.grad_x");
  const Tensor kept = at::tensor(entry["grad_tokens"].get<std::vector<int64_t>>(), at::kLong);
  expect_near(gradients[1][0].index_select(0, kept), golden("net.grad_tokens"), kGradient, "net.grad_tokens");
}

TEST_P(FlowGolden, EncodesPromptsAsThePipelineDoes) {
  if (!reads_text()) GTEST_SKIP() << "DiT reads class labels";
  const json entry = recorded("text.*");
  const std::vector<std::string> prompts = entry["prompts"];
  const bool is_flux = model().guidance != diffusion::GuidanceWay::kCfg;
  for (size_t p = 0; p < prompts.size(); ++p) {
    const Conditioning encoded = model().text->encode(prompts[p]).conditioning;
    const auto row = static_cast<int64_t>(p);
    if (is_flux) {
      expect_near(encoded.pooled, golden("text.clip.pooled")[row], kText, "pooled of " + prompts[p]);
      expect_near(encoded.tokens.narrow(0, 0, 24), golden("text.t5.hidden_head")[row], kText, "t5 of " + prompts[p]);
    } else {
      const Tensor pooled = at::cat({golden("text.clip.pooled")[row], golden("text.clip2.pooled")[row]});
      expect_near(encoded.pooled, pooled, kText, "pooled of " + prompts[p]);
      if (GetParam() != "tiny-sd35") continue;
      const Tensor t5 = encoded.tokens.narrow(0, 77, 24);
      expect_near(t5, golden("text.t5.hidden_head")[row], kText, "t5 of " + prompts[p]);
    }
  }
}

TEST_P(FlowGolden, LaysTheRowsOfTheTokensOutAsThePipelineDoes) {
  if (!reads_text()) GTEST_SKIP() << "DiT reads class labels";
  const json entry = recorded("text.*");
  const Tensor rows = at::tensor(entry["cond_rows"].get<std::vector<int64_t>>(), at::kLong);
  const std::string prompt = recorded("z0")["prompts"]["cond"];
  const Tensor tokens = model().text->encode(prompt).conditioning.tokens;
  EXPECT_EQ(tokens.sizes(), (std::vector<int64_t>{model().text_length, model().text_channels}));
  expect_near(tokens.index_select(0, rows), golden("text.cond_rows"), kText, "text.cond_rows");
  if (GetParam() == "tiny-sd3") {
    EXPECT_EQ(tokens.narrow(0, 77, 256).abs().max().item<double>(), 0);
  }
}

TEST_P(FlowGolden, AutoencoderShiftsAndScalesItsLatents) {
  const c10::NoGradGuard no_grad;
  const json entry = recorded("vae.*");
  const double shift = entry["shift_factor"], scale = entry["scaling_factor"];
  const diffusion::Codec::Posterior posterior = model().codec->encode(golden("vae.image"));
  expect_near(posterior.mean / scale + shift, golden("vae.mean"), kText, "vae.mean");
  expect_near((posterior.std / scale).log() * 2, golden("vae.logvar"), kText, "vae.logvar");
  expect_near(posterior.mean, golden("vae.latent"), kText, "vae.latent");
  expect_near(model().codec->decode(golden("vae.latent")), golden("vae.decoded"), kText, "vae.decoded");
  expect_near(model().codec->encode(golden("image")).mean, golden("z0"), kText, "z0");
}

TEST_P(FlowGolden, GridHasTheRecordedLevels) {
  const Tensor p = golden("grid.p"), t = golden("grid.t");
  const int S = static_cast<int>(p.size(0)) - 1;
  const diffusion::StepGrid grid = model().grid(S, golden("image").size(2), golden("image").size(3));
  for (int i = 0; i <= S; ++i) {
    EXPECT_NEAR(grid[i].p, p[i].item<double>(), 1e-6 * std::max(1.0, grid[i].p)) << i;  // recorded from float32
    EXPECT_NEAR(grid[i].t, t[i].item<double>(), 1e-3) << i;
  }
}

TEST_P(FlowGolden, RowsDoNotDependOnTheirBatch) {
  const c10::NoGradGuard no_grad;
  const json entry = recorded("net.*");
  const std::vector<std::string> prompts = entry["prompts"];
  for (int64_t r = 0; r < 3; ++r) {
    const Conditioning row =
        rows_of({prompts[r]}, entry["guidance"].is_null() ? json() : json::array({entry["guidance"][r]}));
    const Tensor alone = model().denoiser->out({golden("net.x").narrow(0, r, 1), golden("net.t").narrow(0, r, 1), row});
    expect_near(alone, golden("net.out").narrow(0, r, 1), kNetwork, "net.out alone");
  }
}

TEST_P(FlowGolden, OtherTypesOfWeightsAreAsCloseAsTheyRound) {
  const c10::NoGradGuard no_grad;
  const json entry = recorded("net.*");
  const Conditioning rows = rows_of(entry["prompts"].get<std::vector<std::string>>(), entry["guidance"]);
  const Tensor expected = golden("net.out").to(at::kDouble);
  const double largest = expected.abs().max().item<double>();
  const std::vector<std::pair<std::string, double>> dtypes{{"float64", 1e-5}, {"float16", 5e-3}, {"bfloat16", 4e-2}};
  for (const auto& [dtype, tolerance] : dtypes) {
    const Model other = open_model({.path = shared_material("flow/models/" + GetParam()), .dtype = dtype});
    const Tensor out = other.denoiser->out({golden("net.x"), golden("net.t"), rows}).to(at::kDouble);
    EXPECT_LT((out - expected).square().mean().sqrt().item<double>(), tolerance * largest)
        << GetParam() << " " << dtype;
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, FlowGolden,
                         testing::Values("tiny-sd3", "tiny-sd35", "tiny-flux", "tiny-flux-schnell", "tiny-dit"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace roundtrip::model
