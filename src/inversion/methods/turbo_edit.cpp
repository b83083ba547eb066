// TurboEdit: edit-friendly inversion for few steps, with noise told to be stronger than it is.
//
//   x_i = a x_0 + s n_i at the level of timestep tau_i - time_offset, or x_0 where that is 0 or below
//   z_i = x_{i-1} - mu_i(x_i),   mu_i under the source prompt; |z_1| is cut to max_norm
//   sampling   x_{i-1} = mu_i(x_i) + z_i,   eps = eps(c_source) + w (eps(c_target) - eps(c_source))
// where mu_i is the mean of DDPM's step at the levels of the grid, which the network is told. Deutch, Gal, Garibi,
// Patashnik & Cohen-Or, "TurboEdit: Text-Based Image Editing Using Few-Step Diffusion Models", SIGGRAPH Asia 2024
// (arXiv 2408.00735). The last steps of a few-step model add details where they see too little noise, so its times are
// shifted against the noise. w is guidance_scale; the null prompt is not asked, as Turbo models run without guidance.
//
// With time_offset = 0 and no cut, an edit at w = 1 equals edit_friendly's except in the last step: the maps here are
// not divided by sigma_i, so a step without noise has one too. The defaults are the published setting of four steps,
// which are the last four of a grid of five with trailing spacing. The published setting of three steps uses timesteps
// that no evenly spaced grid has, and is not here. max_norm bounds the norm of the whole latent; it was published for
// 4 x 64 x 64.
#include "inversion/method.h"
#include "inversion/noise_maps.h"

namespace roundtrip::inversion {
namespace {

class TurboSampler : public Sampler {
 public:
  TurboSampler(const Problem& run, const Inversion& inversion, const Guidance& guidance, int first)
      : Sampler(run, inversion.pivots.back(),
                [pair = CfgPair{guidance.conditioning, run.source}](int) { return pair; }),
        is_edit_(guidance.is_edit),
        skipped_(inversion.pivots.rbegin(), inversion.pivots.rend() - first),
        maps_(inversion.state.at(kNoiseMaps)) {}

  Trajectory start() const override { return skipped_; }
  double w() const override { return is_edit_ ? run.w() : 1; }
  Tensor step(const Tensor& x, const diffusion::CfgOut& out, int i) const override {
    const double sigma = run.grid.sigma(1, i, i - 1);
    return run.grid.step(x, diffusion::cfg(out, w()), i, i - 1, sigma) + maps_[maps_.size(0) - i];
  }

 private:
  bool is_edit_;
  Trajectory skipped_;  // x_S down to where sampling starts
  Tensor maps_;         // z_i [first, C, h, w], the noisiest first
};

class TurboEdit : public Method {
 public:
  explicit TurboEdit(const config::Params& params)
      : skip_steps_(params.get_int("skip_steps", {.min = 0})),
        time_offset_(params.get_int("time_offset", {.min = 0})),
        max_norm_(params.get_float("max_norm", {.min = 0})) {}

  void require(const diffusion::StepGrid& grid) const override { first(grid.steps()); }

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    Inversion inversion;
    Trajectory& x = inversion.pivots;
    x = {x0};
    for (int i = 1; i <= run.grid.steps(); ++i) {
      const auto t = static_cast<int64_t>(run.grid[i].t) - time_offset_;
      x.push_back(t <= 0 ? x0
                         : diffusion::marginal(x0, run.noise(NoisePurpose::kForward, i, x0),
                                               run.grid.level_at(static_cast<int>(t))));
    }
    std::vector<Tensor> maps;
    for (int i = first(run.grid.steps()); i >= 1; --i) {
      const Tensor eps = co_await predict(run, x[i], i, run.source);
      maps.push_back(x[i - 1] - run.grid.step(x[i], eps, i, i - 1, run.grid.sigma(1, i, i - 1)));
    }
    if (max_norm_ > 0) maps.back() = cut(maps.back());
    inversion.state[kNoiseMaps] = at::stack(maps);
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<TurboSampler>(run, inversion, guidance, first(run.grid.steps()));
  }

 private:
  // A map no longer than max_norm, over all of its elements.
  Tensor cut(const Tensor& z) const {
    const double norm = at::norm(z).item<double>();
    return norm > max_norm_ ? z * (max_norm_ / norm) : z;
  }

  // The grid index that is walked from.
  int first(int S) const {
    if (skip_steps_ < S) return S - static_cast<int>(skip_steps_);
    throw Error(ErrorKind::kType, fmt::format("method.skip_steps: found {}, but steps is {}; expected at most {}",
                                              skip_steps_, S, S - 1));
  }

  int64_t skip_steps_, time_offset_;
  double max_norm_;
};

const RegisteredMethod<TurboEdit> turbo_edit(
    {.name = "turbo_edit",
     .summary = "edit_friendly for few-step models: shifted times, guidance away from the source prompt",
     .source = "Deutch et al., TurboEdit, SIGGRAPH Asia 2024 (arXiv 2408.00735)",
     .needs_cfg = true,
     .converges = false,
     .only_for = diffusion::Out::kEps});

}  // namespace
}  // namespace roundtrip::inversion
