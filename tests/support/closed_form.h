// Denoisers whose eps is known in closed form, so that tests of engine and methods do not need a network.
#pragma once

#include <cmath>
#include <mutex>

#include <ATen/ATen.h>

#include "diffusion/denoiser.h"
#include "diffusion/noise_schedule.h"
#include "diffusion/step_grid.h"
#include "engine/engine.h"

namespace roundtrip::testing {

using at::Tensor;
using diffusion::Conditioning;
using diffusion::NoiseSchedule;

// Stable Diffusion's schedule with alpha_bar_0 at the clean end, the setting of golden/theory.
inline diffusion::ScheduleConfig sd_schedule() {
  return {.beta_start = 0.00085,
          .beta_end = 0.012,
          .beta_schedule = diffusion::BetaSchedule::kScaledLinear,
          .set_alpha_to_one = false,
          .steps_offset = 1};
}

inline Tensor per_row(const Tensor& values, const Tensor& like) {
  std::vector<int64_t> shape(like.dim(), 1);
  shape[0] = -1;
  return values.view(shape).to(like.scalar_type());
}

inline double alpha_bar(const diffusion::StepGrid& grid, int i) { return grid[i].a * grid[i].a; }

inline Tensor alpha_bars_at(const NoiseSchedule& schedule, const Tensor& t) {
  Tensor values = at::empty(t.sizes(), at::kDouble);
  for (int64_t k = 0; k < t.numel(); ++k) values[k] = schedule.alpha_bar(static_cast<int>(t[k].item<double>()));
  return values;
}

// Denoiser of data from N(0, variance): eps(x, t) = sqrt(1 - abar) x / (abar variance + 1 - abar).
class GaussianDenoiser : public diffusion::Denoiser {
 public:
  explicit GaussianDenoiser(double variance) : variance_(variance) {}

  Tensor out(const diffusion::Batch& batch) override {
    const Tensor &x = batch.x, &t = batch.t;
    ++batches;
    rows += x.size(0);
    const Tensor abar = alpha_bars_at(schedule_, t);
    return x * per_row((1 - abar).sqrt() / (abar * variance_ + 1 - abar), x);
  }

  int64_t batches = 0, rows = 0;

 private:
  double variance_;
  NoiseSchedule schedule_{sd_schedule()};
};

// Denoiser of data from an equal-weight mixture of isotropic Gaussians; x [R, 1, 1, D].
class MixtureDenoiser : public diffusion::Denoiser {
 public:
  MixtureDenoiser(Tensor means, double variance) : means_(std::move(means)), variance_(variance) {}

  Tensor out(const diffusion::Batch& batch) override {
    const Tensor &x = batch.x, &t = batch.t;
    const Tensor abar = alpha_bars_at(schedule_, t).view({-1, 1, 1});  // [R, 1, 1]
    const Tensor spread = abar * variance_ + 1 - abar;
    const Tensor offset = x.flatten(1).unsqueeze(1) - abar.sqrt() * means_;  // [R, K, D]
    const Tensor r = at::softmax(-offset.square().sum(-1, true) / (2 * spread), 1);
    return ((1 - abar).sqrt() * (r * offset).sum(1, true) / spread).view_as(x).to(x.scalar_type());
  }

 private:
  Tensor means_;  // [K, D]
  double variance_;
  NoiseSchedule schedule_{sd_schedule()};
};

// eps depends on t and the conditioning, not on x, so explicit inversion at the target timestep is exact.
class XIndependentDenoiser : public diffusion::Denoiser {
 public:
  Tensor out(const diffusion::Batch& batch) override {
    const auto& [x, t, conditioning, linked] = batch;
    Tensor values = at::sin(t.to(at::kDouble) * 0.01);
    if (conditioning.tokens.defined()) values = values + conditioning.tokens.flatten(1).mean(1).to(at::kDouble);
    return at::zeros_like(x) + per_row(values, x);
  }
};

// Small nonlinear denoiser that reads x, t and the tokens [R, L, D], for tests of guidance and gradients.
class ConditionedDenoiser : public diffusion::Denoiser {
 public:
  Tensor out(const diffusion::Batch& batch) override {
    const auto& [x, t, conditioning, linked] = batch;
    {
      const std::lock_guard alone(counting_);  // slices of a batch come from several threads
      ++batches;
      rows += x.size(0);
      sizes.push_back(x.size(0));
    }
    Tensor pull = per_row(at::cos(t.to(at::kDouble) * 0.003), x);
    Tensor eps = at::tanh(x * 0.7 + pull * 0.2);
    if (conditioning.tokens.defined()) {
      eps = eps + 0.3 * per_row(at::tanh(conditioning.tokens.flatten(1).sum(1)), x) * at::cos(x);
    }
    return eps;
  }

  int64_t batches = 0, rows = 0;
  std::vector<int64_t> sizes;

 private:
  std::mutex counting_;
};

// Runs one coroutine to its end on its own engine; rethrows what it threw.
template <typename T>
T run_alone(engine::Engine& engine, engine::Task<T> task) {
  std::optional<T> result;
  std::exception_ptr error;
  bool given = false;
  const auto root = [](engine::Task<T> inner, std::optional<T>& out, std::exception_ptr& failed) -> engine::Task<void> {
    try {
      out.emplace(co_await inner);
    } catch (...) {
      failed = std::current_exception();
    }
  };
  engine.run([&]() -> std::optional<engine::Task<void>> {
    if (std::exchange(given, true)) return std::nullopt;
    return root(std::move(task), result, error);
  });
  if (error) std::rethrow_exception(error);
  return std::move(*result);
}

}  // namespace roundtrip::testing
