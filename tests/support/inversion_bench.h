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
  std::optional<Conditioning> target = {};  // if given, sampling is an edit

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

inline RoundTrip round_trip(const inversion::Method& method, diffusion::Denoiser& denoiser, const Tensor& x0,
                            const Setting& setting) {
  RoundTrip result;
  engine::Engine engine(denoiser, {.batch = {.max_batch = 4}});
  const auto parts = [&](engine::Cost& cost) {
    return inversion::Problem::Parts{.grid = diffusion::ddim_grid(NoiseSchedule(sd_schedule()), setting.steps),
                                     .network = inversion::Network(engine, cost),
                                     .source = setting.source,
                                     .null = setting.null,
                                     .settings = setting.settings(),
                                     .noise = inversion::counter_noise(setting.seed, "sample")};
  };
  const inversion::Problem inverting(parts(result.invert_cost));
  const inversion::Problem fitting(parts(result.fit_cost));
  const inversion::Problem sampling(parts(result.sample_cost));
  const inversion::Guidance guidance{setting.target.value_or(setting.source), setting.target.has_value()};
  result.inversion = run_alone(engine, method.invert(inverting, x0));
  result.inversion = run_alone(engine, method.fit(fitting, result.inversion));
  result.path = run_alone(engine, method.sample(sampling, result.inversion, guidance));
  return result;
}

}  // namespace roundtrip::testing
