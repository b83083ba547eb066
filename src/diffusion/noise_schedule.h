// Noise schedule alpha_bar_t of a model, from the numbers of its scheduler config.
//
// Notation as in DDIM (Song et al., ICLR 2021) with alpha_bar for the cumulative product:
//   x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps
// Formulas for betas and their zero-terminal-SNR rescaling follow diffusers' DDIMScheduler; all in float64.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace roundtrip::diffusion {

enum class BetaSchedule { kLinear, kScaledLinear, kSquaredCosine };
// How timesteps are chosen from the T of training: DDIMScheduler's three ways, and LCMScheduler's, which takes some of
// the few that a consistency model was distilled at.
enum class Spacing { kLeading, kTrailing, kLinspace, kLcm };
enum class Prediction { kEpsilon, kV, kSample };

// Schedule settings. Defaults for keys that a folder omits are DDIMScheduler's.
struct ScheduleConfig {
  int train_steps = 1000;  // T
  double beta_start = 0.0001, beta_end = 0.02;
  BetaSchedule beta_schedule = BetaSchedule::kLinear;
  std::vector<double> trained_betas = {};  // replaces the formula if given
  bool rescale_zero_snr = false;
  bool set_alpha_to_one = true;  // alpha_bar of the clean end is 1; else alpha_bar_0
  int steps_offset = 0;
  Spacing spacing = Spacing::kLeading;
  int distilled_steps = 50;  // timesteps that a latent consistency model was distilled at: read by kLcm alone
  Prediction prediction = Prediction::kEpsilon;
  std::vector<std::string> ignored = {};  // sampler-only keys that were set (clip_sample, ...): recorded, not applied
};

// Replaces an alpha_bar of exactly 0 wherever x is moved to another level: a rescaled schedule ends at 0, and no eps
// leads back from pure noise. diffusers' schedulers on sigmas use the same number there.
inline constexpr double kMinAlphaBar = 0x1p-24;

class NoiseSchedule {
 public:
  explicit NoiseSchedule(ScheduleConfig config);

  double alpha_bar(int t) const;  // t in [0, T)
  double final_alpha_bar() const { return config_.set_alpha_to_one ? 1.0 : alpha_bars_.front(); }
  int train_steps() const { return config_.train_steps; }
  const ScheduleConfig& config() const { return config_; }

 private:
  ScheduleConfig config_;
  std::vector<double> alpha_bars_;
};

}  // namespace roundtrip::diffusion
