// Noise levels sigma of a rectified-flow model, from the numbers of its scheduler config.
//
//   x_sigma = (1 - sigma) x_0 + sigma n,   v = n - x_0,   t = T sigma          (Liu, Gong & Liu, ICLR 2023)
// The levels are those of diffusers' FlowMatchEulerDiscreteScheduler (0.42): a line of S sigmas, shifted towards the
// noise (Esser et al., "Scaling rectified flow transformers", ICML 2024, eq. 23), stretched to a terminal level, spaced
// anew, and ended by 0. All in float64, where diffusers rounds to float32. Not implemented, and refused where the
// config is read: inverted sigmas, stochastic sampling.
#pragma once

#include <cstdint>
#include <optional>

#include "diffusion/step_grid.h"

namespace roundtrip::diffusion {

enum class TimeShift { kExponential, kLinear };
enum class Respacing { kNone, kKarras, kExponential, kBeta };

// The line of sigmas before the shift.
enum class FlowLine {
  kScheduler,  // from 1 to the lower end of the scheduler's table, which the scheduler has shifted once (SD3)
  kPipeline,   // from 1 to 1/S, handed to the scheduler by the pipeline (FLUX)
};

// Settings. Defaults for keys that a folder omits are the scheduler's.
struct FlowConfig {
  int train_steps = 1000;   // T
  double shift = 1;         // of every image size, unless `dynamic`
  bool dynamic = false;     // the shift grows with the number of image tokens
  double base_shift = 0.5;  // mu at base_tokens
  double max_shift = 1.15;  // mu at max_tokens; a line between and beyond
  int64_t base_tokens = 256;
  int64_t max_tokens = 4096;
  TimeShift time_shift = TimeShift::kExponential;  // of `dynamic`: by e^mu, or by mu
  std::optional<double> terminal = {};             // the last sigma before 0 after the shift
  Respacing respacing = Respacing::kNone;
  FlowLine line = FlowLine::kScheduler;
};

// The grid of S steps for images of `tokens` tokens: [0] is sigma 0, [S] the noisiest. Throws kType where the settings
// leave no strictly ascending sigmas in [0, 1].
StepGrid flow_grid(const FlowConfig& config, int steps, int64_t tokens);

}  // namespace roundtrip::diffusion
