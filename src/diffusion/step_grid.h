// The grid of S steps that an inversion climbs and a sampler descends.
//
// tau[1..S] are the timesteps that diffusers' DDIMScheduler makes, ascending; tau[0] is the clean end. A step is a pair
// (i-1, i) of grid indices, never `t - T/S`: where T is not a multiple of S the two differ.
#pragma once

#include <vector>

#include "diffusion/noise_schedule.h"

namespace roundtrip::diffusion {

class StepGrid {
 public:
  // Throws kType where the schedule cannot be cut into `steps` steps.
  StepGrid(const NoiseSchedule& schedule, int steps);

  int steps() const { return static_cast<int>(times_.size()) - 1; }  // S

  // The timestep that the network is asked at for grid index i in [0, S]. At the clean end: max(tau[1] - T/S, 0),
  // integer division, as textbook inversion evaluates its first step.
  int time(int i) const { return times_.at(i); }

  // alpha_bar at grid index i in [0, S], kLeastAlphaBar or more; at the clean end the schedule's final alpha_bar.
  double alpha_bar(int i) const { return alpha_bars_.at(i); }

 private:
  std::vector<int> times_;
  std::vector<double> alpha_bars_;
};

}  // namespace roundtrip::diffusion
