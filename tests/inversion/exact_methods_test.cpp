// EDICT, BDIA and O-BELM: exact to rounding on the mixture of golden/theory, and unstable or inexact where they are.
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::Mixture;
using testing::RoundTrip;
using Params = std::map<std::string, config::Params::Value>;

std::unique_ptr<Method> method(const std::string& name, Params params) {
  params["name"] = name;
  return make_method(name, config::Params("method", params));
}
std::unique_ptr<Method> edict(double p, bool leapfrog = false) {
  return method("edict", {{"p", p}, {"leapfrog", leapfrog}});
}
std::unique_ptr<Method> bdia(double gamma, bool second_latent = true) {
  return method("bdia", {{"gamma", gamma}, {"second_latent", second_latent}});
}
std::unique_ptr<Method> belm(bool second_latent = true) { return method("belm", {{"second_latent", second_latent}}); }

TEST(ExactMethods, LatentsOnAMixtureMatchTheTheory) {
  Mixture mixture;
  for (const int steps : {10, 50}) {
    const auto expect = [&](const Method& method, const std::string& name) {
      const RoundTrip trip = mixture.round_trip(method, {.steps = steps});
      EXPECT_LT(mixture.distance_from_recorded(trip, steps, name), 1e-9) << name << " at " << steps << " steps";
    };
    for (const auto& [p, name] : {std::pair(1.0, "edict_1.0"), {0.93, "edict_0.93"}, {0.9, "edict_0.9"}}) {
      expect(*edict(p), name);
    }
    for (const auto& [gamma, name] : {std::pair(1.0, "bdia_1.0"), {0.96, "bdia_0.96"}, {0.9, "bdia_0.9"}}) {
      expect(*bdia(gamma), name);
    }
    expect(*belm(), "belm");
    expect(*belm(false), "belm_without_second_latent");
  }
}

TEST(ExactMethods, TheRoundTripIsExactInFloat64AndFloat32) {
  Mixture mixture;
  for (const auto& exact : {edict(0.93), edict(0.93, true), bdia(0.96), belm()}) {
    EXPECT_LT(mixture.mse(mixture.round_trip(*exact, {.steps = 50})), 1e-28);
    EXPECT_LT(mixture.mse(mixture.round_trip(*exact, {.steps = 50}, at::kFloat)), 1e-11);
  }
}

TEST(ExactMethods, EachKeepsASecondLatentAndCostsWhatItSays) {
  Mixture mixture;
  for (const auto& [exact, up, down] :
       {std::tuple(edict(0.93), 100, 100), {bdia(0.96), 50, 49}, {belm(), 50, 49}, {belm(false), 50, 50}}) {
    const RoundTrip trip = mixture.round_trip(*exact, {.steps = 50});
    EXPECT_EQ(trip.inversion.state.count("second_latent"), down == 50 ? 0u : 1u);
    EXPECT_EQ(trip.invert_cost.rows, up);
    EXPECT_EQ(trip.sample_cost.rows, down);
  }
}

TEST(ExactMethods, WithoutItsSecondLatentBelmIsInexact) {
  Mixture mixture;
  for (const int steps : {10, 50}) {
    const double mse = mixture.recorded(steps, "belm_without_second_latent")["mse"];
    EXPECT_NEAR(mixture.mse(mixture.round_trip(*belm(false), {.steps = steps})), mse, 1e-6 * mse);
  }
}

TEST(ExactMethods, AnInversionThatAmplifiesIsFlagged) {
  Mixture mixture;
  for (const int steps : {10, 50}) {
    const RoundTrip trip = mixture.round_trip(*bdia(0.5), {.steps = steps});
    const double mean_square = trip.inversion.pivots.back().square().mean().item<double>();
    EXPECT_NEAR(mean_square / mixture.recorded(steps, "bdia_0.5")["mean_square_x_S"].get<double>(), 1, 1e-6);
    ASSERT_EQ(trip.inversion.notes.size(), 1u);
    EXPECT_NE(trip.inversion.notes[0].find("unstable"), std::string::npos);
  }
  EXPECT_TRUE(mixture.round_trip(*bdia(0.96), {.steps = 50}).inversion.notes.empty());
  EXPECT_FALSE(mixture.round_trip(*edict(0.8), {.steps = 50}).inversion.notes.empty());
}

TEST(ExactMethods, BelmRefusesAGridWhoseFirstStepDoesNotGrow) {
  // Offset 0 with the final alpha_bar of timestep 0: h_1 = 0.
  testing::GaussianDenoiser denoiser(0.25);
  engine::Engine engine(denoiser, {});
  engine::Cost cost;
  diffusion::ScheduleConfig schedule = testing::sd_schedule();
  schedule.steps_offset = 0;
  const Settings settings;
  const Problem p({.grid = diffusion::ddim_grid(diffusion::NoiseSchedule(schedule), 10),
                   .network = Network(engine, cost),
                   .source = {},
                   .null = {},
                   .settings = settings,
                   .noise = counter_noise(0, "sample")});
  const Tensor x0 = at::zeros({1, 2, 2}, at::kDouble);
  const auto inverting = belm();
  const std::string error =
      testing::error_of([&] { testing::run_alone(engine, inverting->invert(p, x0)); }, ErrorKind::kType);
  EXPECT_NE(error.find("belm divides by"), std::string::npos) << error;
}

TEST(ExactMethods, TwoStepMethodsRefuseOneStep) {
  Mixture mixture;
  EXPECT_THROW(mixture.round_trip(*belm(), {.steps = 1}), Error);
  EXPECT_THROW(mixture.round_trip(*bdia(1), {.steps = 1}), Error);
}

TEST(ExactMethods, InvertAtTheScaleThatSamplingHas) {
  for (const auto& exact : {edict(0.93), bdia(0.96), belm()}) EXPECT_EQ(exact->default_invert_w(7.5), 7.5);
}

}  // namespace
}  // namespace roundtrip::inversion
