// EasyInv, InfEdit and h-Edit on a Stable-Diffusion-shaped folder against plain PyTorch on diffusers, with the noise
// that it drew: tokenizer, text encoder, UNet, grid and methods together.
#include <gtest/gtest.h>

#include "base/json.h"
#include "run/golden_fixture.h"
#include "support/shared_material.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using inversion::Inversion;
using nlohmann::json;

class GoldenUNetEdits : public GoldenFixture {
 protected:
  void SetUp() override { ROUNDTRIP_NEEDS_SHARED("flow"); }

  static Tensor recorded(const std::string& name) {
    static const model::SafetensorsFile file =
        model::SafetensorsFile::open(shared_material("flow/golden/golden.safetensors"));
    return file.tensor("tiny-sd/" + name);
  }
  static json facts(const std::string& name) {
    static const json cases = read_json(shared_material("flow/golden/cases.json"))["cases"];
    for (const json& entry : cases) {
      if (entry["key"] == "tiny-sd/" + name) return entry;
    }
    ADD_FAILURE() << name << " is not recorded";
    return {};
  }
  static void expect_recorded(const Tensor& actual, const std::string& name) {
    const Tensor expected = recorded(name);
    ASSERT_EQ(actual.sizes(), expected.sizes()) << name;
    const double largest = expected.abs().max().item<double>(), tolerance = facts(name)["tolerance"];
    EXPECT_LT((actual - expected).abs().max().item<double>(), tolerance * largest) << name;
  }

  inversion::Guidance towards_target() const { return {target_.conditioning, true}; }
};

TEST_F(GoldenUNetEdits, EasyInvMixesInItsWindow) {
  for (const std::string w : {"w1", "w7.5"}) {
    const std::string name = "easyinv." + w + ".pivots";
    const json entry = facts(name);
    const auto easy_inv = method("easy_inv", {{"eta", entry["eta"].get<double>()},
                                              {"start_at", entry["window"][0].get<double>()},
                                              {"stop_at", entry["window"][1].get<double>()}});
    inversion::Problem::Parts parts = problem(cost_);
    parts.settings.invert_w = entry["invert_guidance_scale"];
    const inversion::Problem p(parts);
    const Inversion inverted = run(easy_inv->invert(p, golden("z0")[0]));
    expect_recorded(at::stack(inverted.pivots), name);
    if (w != "w1") continue;
    const inversion::Guidance guidance{p.source};
    expect_recorded(at::stack(run(easy_inv->sample(p, inverted, guidance))), "easyinv.w1.recon");
  }
}

TEST_F(GoldenUNetEdits, InfEditPredictsTheEditedImageAtEveryStep) {
  const Tensor start = recorded("start")[0], noise = recorded("noise");
  for (const std::string name : {"infedit.eta1", "infedit.eta0.5"}) {
    const json entry = facts(name);
    const auto infedit = method("infedit", {{"eta", entry["eta"].get<double>()},
                                            {"source_guidance_scale", entry["source_guidance_scale"].get<double>()},
                                            {"start", std::string("noised")},
                                            {"strength", 1.0}});
    inversion::Problem::Parts parts = problem(cost_);
    parts.settings.numbers[inversion::kWKey] = entry["guidance_scale"];
    parts.noise = [&](NoisePurpose purpose, int i, const Tensor&) {
      return purpose == NoisePurpose::kForward ? start : noise[10 - i][0];
    };
    const inversion::Problem p(parts);
    const Inversion inverted = run(infedit->invert(p, golden("z0")[0]));
    inversion::Trajectory path = run(infedit->sample(p, inverted, towards_target()));
    path.erase(path.begin());  // the image itself
    expect_recorded(at::stack(path), name);
  }
}

TEST_F(GoldenUNetEdits, HEditsMapsAndEveryFormOfItsEdit) {
  const Tensor noise = recorded("noise");
  for (const std::string name : {"hedit.explicit", "hedit.implicit", "hedit.implicit3"}) {
    const json entry = facts(name);
    const auto h_edit = method("h_edit", {{"source_guidance_scale", entry["w_hat"].get<double>()},
                                          {"form", std::string(entry["implicit"] ? "implicit" : "explicit")},
                                          {"optimization_steps", entry.value("optimization_steps", int64_t{1})},
                                          {"weight_reconstruction", entry.value("weight_reconstruction", 0.1)}});
    inversion::Problem::Parts parts = problem(cost_);
    parts.settings.invert_w = entry["w"];
    parts.settings.numbers[inversion::kWKey] = entry["w_target"];
    parts.noise = [&](NoisePurpose, int i, const Tensor&) { return noise[i - 1][0]; };
    const inversion::Problem p(parts);
    const Inversion inverted = run(h_edit->invert(p, golden("z0")[0]));
    expect_recorded(at::stack(inverted.pivots), "hedit.latents");
    expect_recorded(inverted.state.at("noise_maps").flip(0), "hedit.maps");
    expect_recorded(at::stack(run(h_edit->sample(p, inverted, towards_target()))), name);
  }
}

}  // namespace
}  // namespace roundtrip::run
