#include "diffusion/noise_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace roundtrip::diffusion {
namespace {

std::vector<double> betas_of(const ScheduleConfig& config) {
  const int T = config.train_steps;
  std::vector<double> betas(T);
  const auto linspace = [T](double from, double to, int k) { return T == 1 ? from : from + (to - from) * k / (T - 1); };
  const auto cosine = [](double u) {
    const double c = std::cos((u + 0.008) / 1.008 * std::numbers::pi / 2);
    return c * c;
  };
  for (int k = 0; k < T; ++k) {
    switch (config.beta_schedule) {
      case BetaSchedule::kLinear:
        betas[k] = linspace(config.beta_start, config.beta_end, k);
        break;
      case BetaSchedule::kScaledLinear: {
        const double root = linspace(std::sqrt(config.beta_start), std::sqrt(config.beta_end), k);
        betas[k] = root * root;
        break;
      }
      case BetaSchedule::kSquaredCosine:
        betas[k] = std::min(1 - cosine(double(k + 1) / T) / cosine(double(k) / T), 0.999);
        break;
    }
  }
  return betas;
}

// Shifts and scales sqrt(alpha_bar) so that it ends at exactly 0 and starts where it did (Lin et al., "Common diffusion
// noise schedules and sample steps are flawed", WACV 2024, algorithm 1).
void rescale_to_zero_snr(std::vector<double>& alpha_bars) {
  const double first = std::sqrt(alpha_bars.front()), last = std::sqrt(alpha_bars.back());
  for (double& alpha_bar : alpha_bars) {
    const double root = (std::sqrt(alpha_bar) - last) * first / (first - last);
    alpha_bar = root * root;
  }
}

}  // namespace

NoiseSchedule::NoiseSchedule(ScheduleConfig config) : config_(std::move(config)) {
  if (config_.train_steps < 1) {
    throw input_error("scheduler", fmt::format("num_train_timesteps is {}", config_.train_steps), "at least 1");
  }
  const bool trained = !config_.trained_betas.empty();
  if (trained && static_cast<int>(config_.trained_betas.size()) != config_.train_steps) {
    throw input_error("scheduler", fmt::format("trained_betas has {} entries", config_.trained_betas.size()),
                      fmt::format("num_train_timesteps = {}", config_.train_steps));
  }
  double product = 1;
  for (const double beta : trained ? config_.trained_betas : betas_of(config_)) {
    if (!(beta >= 0 && beta < 1)) throw input_error("scheduler", fmt::format("a beta of {}", beta), "0 <= beta < 1");
    product *= 1 - beta;
    alpha_bars_.push_back(product);
  }
  if (config_.rescale_zero_snr) rescale_to_zero_snr(alpha_bars_);
}

double NoiseSchedule::alpha_bar(int t) const {
  check(t >= 0 && t < config_.train_steps, fmt::format("timestep {} lies in [0, {})", t, config_.train_steps));
  return alpha_bars_[t];
}

}  // namespace roundtrip::diffusion
