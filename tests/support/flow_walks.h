// Walks of flow methods on a small network that reads prompts, and the recorded ones to compare them with
// (tests/golden/flow/walks.json).
#pragma once

#include "base/json.h"
#include "support/flow_grid.h"
#include "support/inversion_bench.h"

namespace roundtrip::testing {

using MethodParams = std::map<std::string, config::Params::Value>;

inline std::unique_ptr<inversion::Method> method_of(const std::string& name, MethodParams params) {
  params["name"] = name;
  return inversion::make_method(name, config::Params("method", params));
}

// Six steps from x0 [1, 2, 3] on the ConditionedDenoiser, with noise that a formula gives.
class FlowWalks {
 public:
  FlowWalks() {
    setting.steps = 6;
    setting.grid = flow_grid(6, 3);
    setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
    setting.noise = [](NoisePurpose, int i, const Tensor& like) {
      Tensor noise = at::empty(like.sizes(), like.options());
      double* value = noise.mutable_data_ptr<double>();
      for (int64_t k = 0; k < noise.numel(); ++k) {
        const auto a = static_cast<double>(k / 6), e = static_cast<double>(k % 6);
        value[k] = std::sin(1.7 * (10 * i + 3 * a) + 0.9 * e + 0.3);
      }
      return noise;
    };
  }

  static Conditioning target() { return {.tokens = at::full({2, 3}, 0.11, at::kDouble)}; }

  RoundTrip round_trip(const inversion::Method& method) { return testing::round_trip(method, denoiser, x0, setting); }
  RoundTrip edit(const inversion::Method& method) {
    Setting editing = setting;
    editing.target = target();
    return testing::round_trip(method, denoiser, x0, editing);
  }

  // The largest difference between a walk and the recorded one, whose latents are the walk's last ones if it is
  // shorter.
  static double distance(const inversion::Trajectory& walk, const std::string& name) {
    static const nlohmann::json recorded = read_json(ROUNDTRIP_SOURCE_DIR "/tests/golden/flow/walks.json");
    const auto latents = recorded.at("walks").at(name).get<std::vector<std::vector<double>>>();
    double worst = 0;
    for (size_t k = 0; k < latents.size(); ++k) {
      const Tensor& x = walk.at(walk.size() - latents.size() + k);
      worst = std::max(worst, (x.flatten() - at::tensor(latents[k], at::kDouble)).abs().max().item<double>());
    }
    return worst;
  }

  ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 6, at::kDouble).view({1, 2, 3});
  Setting setting;
};

inline double largest_difference(const inversion::Trajectory& a, const inversion::Trajectory& b) {
  return (at::stack(a) - at::stack(b)).abs().max().item<double>();
}

}  // namespace roundtrip::testing
