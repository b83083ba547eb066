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
    case Spacing::kLcm: {
      const int L = config.distilled_steps;
      const int skipped = static_cast<int>(std::floor((S - k) * (static_cast<double>(L) / S)));  // of the noisiest
      return (L - skipped) * (T / L) - 1;
    }
  }
  return 0;
}

Level vp_level(double alpha_bar, double t) {
  const double a = std::sqrt(alpha_bar), s = std::sqrt(1 - alpha_bar);
  return {.a = a, .s = s, .c = a, .p = s / a, .t = t};
}

double weight_of_out(const Level& from, const Level& to, double sigma) {
  const double p = sigma == 0 ? to.p : std::sqrt(std::max(0.0, to.s * to.s - sigma * sigma)) / to.c;
  return to.c * (p - from.p);
}

}  // namespace

std::string_view out_name(Out out) { return out == Out::kEps ? "eps" : "v"; }

StepGrid::StepGrid(std::vector<Level> levels, Out out, std::shared_ptr<const NoiseSchedule> schedule)
    : levels_(std::move(levels)), out_(out), schedule_(std::move(schedule)) {
  check(levels_.size() >= 2, "a grid has at least one step");
}

Tensor StepGrid::step(const Tensor& x, const Tensor& out, int i, int j, double sigma) const {
  return at::add(x * ((*this)[j].c / (*this)[i].c), out, out_coefficient(i, j, sigma));
}

Level StepGrid::level_at(int t) const {
  check(schedule_ != nullptr, "a level off the grid is asked of a schedule");
  return t <= 0 ? levels_.front() : vp_level(std::max(schedule_->alpha_bar(t), kMinAlphaBar), t);
}

int StepGrid::last_timestep() const {
  check(schedule_ != nullptr, "the last timestep is asked of a schedule");
  return schedule_->config().train_steps - 1;
}

double StepGrid::out_coefficient(int i, int j, double sigma) const {
  return weight_of_out((*this)[i], (*this)[j], sigma);
}

double StepGrid::time_at(double p) const {
  check(out_ == Out::kVelocity, "only a flow's network can be asked between grid points");
  return levels_.back().t * (p / levels_.back().p);
}

std::vector<Level> StepGrid::between(int i, int j, double stride) const {
  const Level &from = (*this)[i], &to = (*this)[j];
  std::vector<Level> levels{from};
  for (double t = from.t + stride; t < to.t; t += stride) {
    if (out_ == Out::kVelocity) {
      const double p = t / levels_.back().t * levels_.back().p;
      levels.push_back({.a = 1 - p, .s = p, .c = 1, .p = p, .t = t});
    } else if (schedule_) {
      levels.push_back(level_at(static_cast<int>(t)));
      levels.back().t = t;
    }
  }
  levels.push_back(to);
  return levels;
}

Tensor StepGrid::step(const Tensor& x, const Tensor& out, const Level& from, const Level& to) {
  return at::add(x * (to.c / from.c), out, weight_of_out(from, to, 0));
}

double StepGrid::sigma(double eta, int i, int j) const {
  const Level &from = (*this)[i], &to = (*this)[j];
  if (eta == 0 || from.a == to.a) return 0;
  check(out_ == Out::kEps, "eta is a setting of DDIM's sampler, which runs on VP grids");
  const double shrink = from.a / to.a;
  return eta * to.s / from.s * std::sqrt(1 - shrink * shrink);
}

Tensor StepGrid::noised(const Tensor& x, const Tensor& noise, int i, int j) const {
  const Level &from = (*this)[i], &to = (*this)[j];
  const double r = to.a / from.a;
  return at::add(x * r, noise, std::sqrt(std::max(0.0, to.s * to.s - r * r * from.s * from.s)));
}

Tensor marginal(const Tensor& x0, const Tensor& noise, const Level& level) {
  return at::add(x0 * level.a, noise, level.s);
}

StepGrid ddim_grid(const NoiseSchedule& schedule, int steps) {
  const ScheduleConfig& config = schedule.config();
  const int T = config.train_steps;
  if (steps < 1 || steps > T) {
    throw Error(ErrorKind::kType,
                fmt::format("steps: {} was given; expected 1 to {}, the model's training steps", steps, T));
  }
  if (config.spacing == Spacing::kLcm && steps > config.distilled_steps) {
    throw Error(ErrorKind::kType,
                fmt::format("steps: {} was given; expected 1 to {}, the scheduler's original_inference_steps", steps,
                            config.distilled_steps));
  }
  std::vector<Level> levels = {vp_level(schedule.final_alpha_bar(), 0)};
  for (int k = 1; k <= steps; ++k) {
    const int t = timestep(config, steps, k);
    if (t >= T) {
      throw Error(ErrorKind::kType,
                  fmt::format("steps: {} steps with the scheduler's steps_offset {} end at timestep {}; expected at "
                              "most {} (fewer steps)",
                              steps, config.steps_offset, t, T - 1));
    }
    levels.push_back(vp_level(std::max(schedule.alpha_bar(t), kMinAlphaBar), t));
  }
  levels[0].t = std::max(timestep(config, steps, 1) - T / steps, 0);
  return {std::move(levels), Out::kEps, std::make_shared<const NoiseSchedule>(schedule)};
}

}  // namespace roundtrip::diffusion
