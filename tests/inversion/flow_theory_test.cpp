// Every solver of flow/golden/theory_flow.json: the mixture of golden/theory as a flow, on the grids of a straight
// line, of FLUX at 1024 pixels and of SD3.
#include <gtest/gtest.h>

#include "support/flow_mixture.h"
#include "support/flow_walks.h"
#include "support/shared_material.h"

namespace roundtrip::inversion {
namespace {

using testing::method_of;
using testing::MethodParams;
using testing::RoundTrip;
using testing::Setting;
using testing::tensor_of;

struct Solver {
  std::unique_ptr<Method> method;
  int64_t invert_nfe, sample_nfe;
  EpsAt eps_at = EpsAt::kTo;
};

// A recorded solver's method, and its evaluations for N steps.
Solver solver(const std::string& name, int N) {
  const auto number = [&name] { return std::stod(name.substr(name.rfind('_') + 1)); };
  const auto fixed_point = [](int64_t k, const char* acceleration) {
    return method_of("fixed_point", {{"iterations", k},
                                     {"tolerance", 0.0},
                                     {"acceleration", std::string(acceleration)},
                                     {"window", int64_t{3}},
                                     {"tikhonov", 1e-10}});
  };
  const auto rf_inversion = [](const char* times) {
    return method_of("rf_inversion", {{"gamma", 0.0},
                                      {"times", std::string(times)},
                                      {"eta", 0.0},
                                      {"start_at", 0.0},
                                      {"stop_at", 0.25},
                                      {"decay_power", 0.0}});
  };
  if (name == "euler_a") return {method_of("ddim", {}), N, N};
  if (name == "euler_b") return {method_of("ddim", {}), N, N, EpsAt::kFrom};
  if (name == "uni_inv") return {method_of("uni_inv", {{"zero_init", false}}), N + 1, N};
  if (name.starts_with("fixed_point")) {
    const auto k = static_cast<int64_t>(number());
    return {fixed_point(k, "none"), N * (k + 1), N};
  }
  if (name.starts_with("ftedit")) {
    const auto k = static_cast<int64_t>(number());
    return {fixed_point(k, "mean"), N * (k + 1), N};
  }
  if (name == "midpoint") return {method_of("midpoint", {}), 2 * N, 2 * N};
  if (name == "fireflow") return {method_of("fireflow", {}), N + 1, N + 1};
  if (name == "rf_inversion_released_gamma0") return {rf_inversion("released"), N, N};
  if (name == "rf_inversion_grid_gamma0") return {rf_inversion("grid"), N, N};
  if (name.starts_with("mccallum_foster")) {
    return {method_of("mccallum_foster", {{"zeta", number()}}), 2 * N, 2 * N};
  }
  if (name == "belm") return {method_of("belm", {{"second_latent", true}}), N, N - 1};
  if (name.starts_with("bdia")) {
    return {method_of("bdia", {{"gamma", number()}, {"second_latent", true}}), N, N - 1};
  }
  if (name.starts_with("edict")) {
    return {method_of("edict", {{"p", number()}, {"leapfrog", true}}), 2 * N, 2 * N};
  }
  if (name == "dna") return {method_of("dnaedit", {{"upto", int64_t{N}}, {"mvg", 0.8}}), N, N};
  ADD_FAILURE() << "a recorded solver that this test does not know: " << name;
  return {method_of("ddim", {}), N, N};
}

TEST(FlowTheory, EverySolverDoesAsRecorded) {
  ROUNDTRIP_NEEDS_SHARED("flow/golden/theory_flow.json");
  const nlohmann::json recorded = read_json(shared_material("flow/golden/theory_flow.json"));
  std::vector<Tensor> samples;
  for (const auto& sample : recorded["samples"]) samples.push_back(tensor_of(sample));
  const Tensor x0 = at::stack(samples).unsqueeze(1);  // [16, 1, 64]: every sample a channel
  testing::FlowMixtureDenoiser denoiser = testing::flow_mixture();
  int compared = 0;
  for (const auto& [case_name, one] : recorded["cases"].items()) {
    auto sigmas = one["sigmas"].get<std::vector<double>>();
    std::ranges::reverse(sigmas);
    const int N = static_cast<int>(sigmas.size()) - 1;
    const Tensor dna_noise = tensor_of(one["dna_noise"]);
    Setting setting{.steps = N};
    setting.grid = testing::flow_grid(sigmas);
    setting.noise = [&](NoisePurpose, int, const Tensor& like) { return dna_noise.expand_as(like).clone(); };
    for (const auto& [name, expected] : one["methods"].items()) {
      SCOPED_TRACE(case_name + " " + name);
      const Solver made = solver(name, N);
      setting.eps_at = made.eps_at;
      const RoundTrip trip = testing::round_trip(*made.method, denoiser, x0, setting);
      const Tensor z = trip.inversion.pivots.back();
      EXPECT_LT((z[0].flatten() - tensor_of(expected["z"])).abs().max().item<double>(), 1e-9);
      EXPECT_NEAR(mean_square(z) / expected["mean_square_z"].get<double>(), 1, 1e-9);
      EXPECT_EQ(trip.invert_cost.rows, made.invert_nfe);
      EXPECT_EQ(trip.sample_cost.rows, made.sample_nfe);
      // DNA is recorded with Euler's way back, where DNAEdit has its own.
      const bool own_way = name != "dna";
      const Tensor x = own_way ? trip.path.back() : testing::sampled(*method_of("ddim", {}), denoiser, z, setting);
      const double mse = mean_square(x - x0), expected_mse = expected["mse"];
      if (expected_mse > 1e-20) {
        EXPECT_NEAR(mse / expected_mse, 1, 1e-6);
      } else {
        EXPECT_LT(mse, 1e-25);
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, 9 * 21);
}

}  // namespace
}  // namespace roundtrip::inversion
