// 64-D Gaussian mixture of golden/theory, and what methods do on it, in float64.
#pragma once

#include <fstream>

#include <nlohmann/json.hpp>

#include "support/inversion_bench.h"

namespace roundtrip::testing {

inline const nlohmann::json& theory() {
  static const nlohmann::json values = [] {
    std::ifstream file(ROUNDTRIP_SOURCE_DIR "/tests/golden/theory/theory.json");
    return nlohmann::json::parse(file);
  }();
  return values;
}

inline Tensor tensor_of(const nlohmann::json& values) {
  return at::tensor(values.get<std::vector<double>>(), at::kDouble);
}

// The mixture's denoiser, its start x0 [1, 1, 64], and a method's round trip from there.
class Mixture {
 public:
  RoundTrip round_trip(const inversion::Method& method, const Setting& setting, at::ScalarType dtype = at::kDouble) {
    return testing::round_trip(method, denoiser_, x0_.to(dtype), setting);
  }
  double mse(const RoundTrip& trip) const {
    return (trip.path.back().to(at::kDouble) - x0_).square().mean().item<double>();
  }

  // Recorded values for `steps` steps of a case ("fixed_point_2", "bdia_0.96").
  static const nlohmann::json& recorded(int steps, const std::string& name) {
    return theory()["mixture"]["cases"][std::to_string(steps)][name];
  }
  static double distance_from_recorded(const RoundTrip& trip, int steps, const std::string& name) {
    const Tensor x_S = trip.inversion.pivots.back().flatten();
    return (x_S - tensor_of(recorded(steps, name)["x_S"])).abs().max().item<double>();
  }

 private:
  static Tensor means() {
    std::vector<Tensor> all;
    for (const auto& mean : theory()["mixture"]["means"]) all.push_back(tensor_of(mean));
    return at::stack(all);
  }

  MixtureDenoiser denoiser_{means(), theory()["mixture"]["variance"]};
  Tensor x0_ = tensor_of(theory()["mixture"]["x0"]).view({1, 1, -1});
};

}  // namespace roundtrip::testing
