// Grids of rectified flows.
#pragma once

#include <vector>

#include "diffusion/step_grid.h"

namespace roundtrip::testing {

// Of sigmas from the clean end (0) to the noise.
inline diffusion::StepGrid flow_grid(const std::vector<double>& sigmas) {
  std::vector<diffusion::Level> levels;
  for (const double sigma : sigmas) {
    levels.push_back({.a = 1 - sigma, .s = sigma, .c = 1, .p = sigma, .t = 1000 * sigma});
  }
  return {std::move(levels), diffusion::Out::kVelocity};
}

// Of S steps, shifted: sigma <- shift sigma / (1 + (shift - 1) sigma).
inline diffusion::StepGrid flow_grid(int S, double shift = 1) {
  std::vector<double> sigmas;
  for (int i = 0; i <= S; ++i) {
    const double sigma = static_cast<double>(i) / S;
    sigmas.push_back(shift * sigma / (1 + (shift - 1) * sigma));
  }
  return flow_grid(sigmas);
}

}  // namespace roundtrip::testing
