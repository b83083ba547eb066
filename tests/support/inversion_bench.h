// Round trip of a method on a closed-form denoiser: invert, fit and sample, with the cost of each.
#pragma once

#include "inversion/method.h"
#include "support/closed_form.h"

namespace roundtrip::testing {

struct Setting {
  int steps = 20;
  inversion::EpsAt eps_at = inversion::EpsAt::kTo;
  double invert_w = 1, w = 1, eta = 0;
  int64_t seed = 0;
  Conditioning source = {}, null = {};
  std::optional<Conditioning> target = {};       // if given, sampling is an edit
  std::optional<diffusion::StepGrid> grid = {};  // instead of Stable Diffusion's with `steps` steps
  inversion::NoiseSource noise = {};             // instead of counter-based noise

  diffusion::StepGrid step_grid() const {
    return grid ? *grid : diffusion::ddim_grid(NoiseSchedule(sd_schedule()), steps);
  }
  inversion::Settings settings() const {
    return {.eps_at = eps_at, .invert_w = invert_w, .numbers = {{inversion::kWKey, w}, {inversion::kEtaKey, eta}}};
  }
};

struct RoundTrip {
  inversion::Inversion inversion;
  inversion::Trajectory path;
  engine::Cost invert_cost, fit_cost, sample_cost;

  double error(const Tensor& x0) const {  // root mean square, relative
    return ((path.back() - x0).square().mean().sqrt() / x0.square().mean().sqrt()).item<double>();
  }
};

inline inversion::Problem::Parts parts_of(const Setting& setting, engine::Engine& engine, engine::Cost& cost) {
  return {.grid = setting.step_grid(),
          .network = inversion::Network(engine, cost),
          .source = setting.source,
          .null = setting.null,
          .settings = setting.settings(),
          .noise = setting.noise ? setting.noise : inversion::counter_noise(setting.seed, "sample"),
          .target = setting.target};
}

inline RoundTrip round_trip(const inversion::Method& method, diffusion::Denoiser& denoiser, const Tensor& x0,
                            const Setting& setting) {
  RoundTrip result;
  engine::Engine engine(denoiser, {.batch = {.max_batch = 4}});
  const inversion::Problem inverting(parts_of(setting, engine, result.invert_cost));
  const inversion::Problem fitting(parts_of(setting, engine, result.fit_cost));
  const inversion::Problem sampling(parts_of(setting, engine, result.sample_cost));
  const inversion::Guidance guidance{setting.target.value_or(setting.source), setting.target.has_value()};
  result.inversion = run_alone(engine, method.invert(inverting, x0));
  result.inversion = run_alone(engine, method.fit(fitting, result.inversion));
  result.path = run_alone(engine, method.sample(sampling, result.inversion, guidance));
  return result;
}

// What a method samples from a noise that another one has found.
inline Tensor sampled(const inversion::Method& method, diffusion::Denoiser& denoiser, const Tensor& x_S,
                      const Setting& setting) {
  engine::Engine engine(denoiser, {.batch = {.max_batch = 4}});
  engine::Cost cost;
  const inversion::Problem sampling(parts_of(setting, engine, cost));
  const inversion::Inversion inversion{.pivots = {x_S}};
  const inversion::Guidance guidance{setting.source};
  return run_alone(engine, method.sample(sampling, inversion, guidance)).back();
}

}  // namespace roundtrip::testing
