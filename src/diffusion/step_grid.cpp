#include "diffusion/step_grid.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace roundtrip::diffusion {
namespace {

// tau[k] for k = 1..S, ascending. std::nearbyint rounds halves to even, as NumPy does.
int timestep(const ScheduleConfig& config, int S, int k) {
  const int T = config.train_steps;
  switch (config.spacing) {
    case Spacing::kLeading:
      return (k - 1) * (T / S) + config.steps_offset;
    case Spacing::kTrailing:
      return static_cast<int>(std::nearbyint(T - (S - k) * (static_cast<double>(T) / S))) - 1;
    case Spacing::kLinspace:
      return S == 1 ? 0 : static_cast<int>(std::nearbyint((k - 1) * (static_cast<double>(T - 1) / (S - 1))));
  }
  return 0;
}

}  // namespace

StepGrid::StepGrid(const NoiseSchedule& schedule, int steps) {
  const ScheduleConfig& config = schedule.config();
  const int T = config.train_steps;
  if (steps < 1 || steps > T) {
    throw Error(ErrorKind::kType,
                fmt::format("steps: {} was given; expected 1 to {}, the model's training steps", steps, T));
  }
  times_ = {0};
  alpha_bars_ = {schedule.final_alpha_bar()};
  for (int k = 1; k <= steps; ++k) {
    const int t = timestep(config, steps, k);
    if (t >= T) {
      throw Error(ErrorKind::kType,
                  fmt::format("steps: {} steps with the scheduler's steps_offset {} end at timestep {}; expected at "
                              "most {} (fewer steps)",
                              steps, config.steps_offset, t, T - 1));
    }
    times_.push_back(t);
    alpha_bars_.push_back(std::max(schedule.alpha_bar(t), kLeastAlphaBar));
  }
  times_[0] = std::max(times_[1] - T / steps, 0);
}

}  // namespace roundtrip::diffusion
