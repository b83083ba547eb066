// The grid of S steps that an inversion climbs and a sampler descends.
//
// Level [0] is the clean end, [S] the noisiest. A step is a pair (i, j) of grid indices, never `t - T/S`: where T is
// not a multiple of S the two differ. Inverting or sampling is a matter of which index is named first.
#pragma once

#include <memory>
#include <vector>

#include <ATen/ATen.h>

#include "diffusion/level.h"
#include "diffusion/noise_schedule.h"

namespace roundtrip::diffusion {

using at::Tensor;

class StepGrid {
 public:
  // `schedule` is the schedule of the levels; without it, only the levels on the grid are known.
  StepGrid(std::vector<Level> levels, Out out, std::shared_ptr<const NoiseSchedule> schedule = {});

  int steps() const { return static_cast<int>(levels_.size()) - 1; }  // S
  const Level& operator[](int i) const { return levels_.at(i); }      // i in [0, S]
  Out out() const { return out_; }                                    // what step() takes

  // PHI(x; i -> j, out): carries x [...] from level i to level j by a fixed prediction `out` [...]. sigma = 0 is the
  // deterministic step; with sigma > 0 the caller adds sigma * n.
  Tensor step(const Tensor& x, const Tensor& out, int i, int j, double sigma = 0) const;

  // The level of any timestep below T, on the grid or not; the clean end for 0 and below. Grids with a schedule only.
  Level level_at(int t) const;

  // T - 1, the noisiest timestep of training. Grids with a schedule only.
  int last_timestep() const;

  // d step / d out.
  double out_coefficient(int i, int j, double sigma = 0) const;

  // The time to give the network at a position p between grid points. Flow grids only: their t is proportional to p,
  // while a diffusion model knows its integer timesteps alone.
  double time_at(double p) const;

  // Levels from grid index i to j > i, `stride` timesteps apart, with both ends: taken from the model's schedule, or
  // from the straight line of a flow. Returns the ends alone if a diffusion grid has no schedule.
  std::vector<Level> between(int i, int j, double stride) const;

  // PHI between any two levels, at a fixed prediction.
  static Tensor step(const Tensor& x, const Tensor& out, const Level& from, const Level& to);

  // The standard deviation of DDIM's stochastic step (eq. 16); eta = 1 is DDPM's. VP grids only.
  //   sigma^2 = eta^2 (s_j^2 / s_i^2) (1 - a_i^2 / a_j^2)
  double sigma(double eta, int i, int j) const;

  // The forward process from level i to the noisier level j:  x_j = r x_i + sqrt(s_j^2 - r^2 s_i^2) n,  r = a_j / a_i.
  Tensor noised(const Tensor& x, const Tensor& noise, int i, int j) const;

 private:
  std::vector<Level> levels_;
  Out out_;
  std::shared_ptr<const NoiseSchedule> schedule_;
};

// The marginal a x_0 + s n of a level around a clean image x_0 [...], n of the same shape. It takes x_0 to be free of
// noise, where StepGrid::noised(x_0, n, 0, i) takes it to be at the grid's own clean end.
Tensor marginal(const Tensor& x0, const Tensor& noise, const Level& level);

// The grid of diffusers' DDIMScheduler or LCMScheduler: [1..S] are the timesteps that it makes, ascending, at their
// alpha_bar (kMinAlphaBar or more); [0] has the schedule's final alpha_bar and is asked at max(tau[1] - T/S, 0),
// integer division, as textbook inversion evaluates its first step. Throws kType where the schedule cannot be cut into
// `steps` steps.
StepGrid ddim_grid(const NoiseSchedule& schedule, int steps);

}  // namespace roundtrip::diffusion
