#include "diffusion/flow_schedule.h"

#include <cmath>
#include <utility>
#include <vector>

#include "base/error.h"
#include "diffusion/beta_distribution.h"

namespace roundtrip::diffusion {
namespace {

using Sigmas = std::vector<double>;  // descending

// sigma after a shift by k: k / (k + 1/sigma - 1).
double shifted(double sigma, double k) { return k * sigma / (1 + (k - 1) * sigma); }

double shift_of(const FlowConfig& config, int64_t tokens) {
  if (!config.dynamic) return config.shift;
  const double slope =
      (config.max_shift - config.base_shift) / static_cast<double>(config.max_tokens - config.base_tokens);
  const double mu = config.base_shift + slope * static_cast<double>(tokens - config.base_tokens);
  return config.time_shift == TimeShift::kExponential ? std::exp(mu) : mu;
}

// n numbers from `first` to `last`; the first alone where n is 1.
Sigmas line(double first, double last, int n) {
  Sigmas sigmas;
  for (int k = 0; k < n; ++k) sigmas.push_back(n == 1 ? first : first + (last - first) * k / (n - 1));
  return sigmas;
}

// A dynamic shift leaves the scheduler's own table unshifted.
double lower_end(const FlowConfig& config, int steps) {
  if (config.line == FlowLine::kPipeline) return 1.0 / steps;
  const double least = 1.0 / config.train_steps;
  return config.dynamic ? least : shifted(least, config.shift);
}

void stretch_to(double terminal, Sigmas& sigmas) {
  const double factor = (1 - sigmas.back()) / (1 - terminal);
  for (double& sigma : sigmas) sigma = 1 - (1 - sigma) / factor;
}

// Karras et al., NeurIPS 2022, eq. 5, with rho = 7; evenly in log sigma; or by quantiles of a beta distribution (Lee et
// al., "Beta sampling is all you need", 2024).
void respace(Respacing respacing, Sigmas& sigmas) {
  if (respacing == Respacing::kNone) return;
  constexpr double kRho = 7, kBeta = 0.6;
  if (respacing == Respacing::kBeta) {
    const double most = sigmas.front(), least = sigmas.back();
    sigmas = line(1, 0, static_cast<int>(sigmas.size()));
    for (double& sigma : sigmas) sigma = least + beta_quantile(sigma, kBeta, kBeta) * (most - least);
    return;
  }
  const bool karras = respacing == Respacing::kKarras;
  const auto there = [&](double sigma) { return karras ? std::pow(sigma, 1 / kRho) : std::log(sigma); };
  const auto back = [&](double u) { return karras ? std::pow(u, kRho) : std::exp(u); };
  sigmas = line(there(sigmas.front()), there(sigmas.back()), static_cast<int>(sigmas.size()));
  for (double& sigma : sigmas) sigma = back(sigma);
}

}  // namespace

StepGrid flow_grid(const FlowConfig& config, int steps, int64_t tokens) {
  if (steps < 1) throw Error(ErrorKind::kType, fmt::format("steps: {} was given; expected 1 or more", steps));
  const double shift = shift_of(config, tokens);
  Sigmas sigmas = line(1, lower_end(config, steps), steps);
  for (double& sigma : sigmas) sigma = shifted(sigma, shift);
  if (config.terminal) stretch_to(*config.terminal, sigmas);
  respace(config.respacing, sigmas);

  const double T = config.train_steps;
  std::vector<Level> levels = {{.a = 1, .s = 0, .c = 1, .p = 0, .t = 0}};
  for (int i = 1; i <= steps; ++i) {
    const double sigma = sigmas[steps - i];
    constexpr double kRounding = 1e-9;
    if (!(sigma > levels.back().p && sigma <= 1 + kRounding)) {
      throw Error(
          ErrorKind::kType,
          fmt::format("steps: {} steps of the model's flow scheduler, for {} image tokens, give sigma {:g} after "
                      "{:g}; expected ascending sigmas up to 1",
                      steps, tokens, sigma, levels.back().p));
    }
    levels.push_back({.a = 1 - sigma, .s = sigma, .c = 1, .p = sigma, .t = T * sigma});
  }
  return {std::move(levels), Out::kVelocity};
}

}  // namespace roundtrip::diffusion
