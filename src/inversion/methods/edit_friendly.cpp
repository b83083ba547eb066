// Edit-friendly DDPM inversion: noise maps that lead the stochastic sampler through independent noisings of the image.
//
//   x_i = sqrt(r) x_0 + sqrt(1 - r) n_i,  r = alpha_bar_i / alpha_bar_0, the n_i independent of each other
//   z_i = (x_{i-1} - mu_i(x_i)) / sigma_i    (noise_maps.h)
// where mu_i + sigma_i z is the sampling step at eta = 1. Sampling replays the maps; an edit does so under the target
// prompt at w. Huberman-Spiegelglas, Kulikov & Michaeli, "An Edit Friendly DDPM Noise Space", CVPR 2024.
//
// The noisings start from the clean end's own alpha_bar_0; the paper takes it to be 1. The maps carry the image, S
// latents of state, so the latents themselves do not compare with those of ODE inversions. A reconstruction replays at
// the inversion's own w. As published the last map is 0, so the last step's share of the noise is lost at any S:
// `last_map: kept` keeps it. `skip` is the share of the noisiest steps that sampling leaves out, starting from x_i
// there.
#include <cmath>

#include "inversion/method.h"
#include "inversion/noise_maps.h"

namespace roundtrip::inversion {
namespace {

class ReplayingSampler : public Sampler {
 public:
  ReplayingSampler(const Problem& run, const Inversion& inversion, const Guidance& guidance, int first)
      : Sampler(run, inversion.pivots.back(), guidance.conditioning),
        w_(guidance.is_edit ? run.w() : run.invert_w()),
        skipped_(inversion.pivots.rbegin(), inversion.pivots.rend() - first),
        maps_(inversion.state.at(kNoiseMaps)) {}

  Trajectory start() const override { return skipped_; }
  double w() const override { return w_; }
  Tensor step(const Tensor& x, const diffusion::CfgOut& out, int i) const override {
    const double sigma = run.grid.sigma(1, i, i - 1);
    const Tensor mu = run.grid.step(x, diffusion::cfg(out, w()), i, i - 1, sigma);
    return at::add(mu, maps_[run.grid.steps() - i], sigma);
  }

 private:
  double w_;
  Trajectory skipped_;  // x_S down to where sampling starts
  Tensor maps_;
};

class EditFriendly : public Method {
 public:
  explicit EditFriendly(const config::Params& params)
      : skip_(params.get_float("skip", {.min = 0, .max = 1})),
        keeps_last_(params.get_string("last_map", {"zero", "kept"}) == "kept") {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    Inversion inversion;
    Trajectory& x = inversion.pivots;
    x = {x0};
    for (int i = 1; i <= run.grid.steps(); ++i) {
      x.push_back(run.grid.noised(x0, run.noise(NoisePurpose::kForward, i, x0), 0, i));
    }
    Task<Tensor> maps = noise_maps(run, x, run.grid.steps(), ddpm_mean(run.grid), keeps_last_);
    inversion.state[kNoiseMaps] = co_await maps;
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    const int S = run.grid.steps(), first = S - static_cast<int>(std::lround(skip_ * S));
    return std::make_unique<ReplayingSampler>(run, inversion, guidance, first);
  }

  double default_invert_w(double) const override { return 3.5; }  // the paper's w_src

 private:
  double skip_;
  bool keeps_last_;
};

const RegisteredMethod<EditFriendly> edit_friendly(
    {.name = "edit_friendly",
     .summary = "noise maps that lead the DDPM sampler through independent noisings of the image; keeps every map",
     .source = "Huberman-Spiegelglas et al., An Edit Friendly DDPM Noise Space, CVPR 2024",
     .converges = false,
     .only_for = diffusion::Out::kEps});

}  // namespace
}  // namespace roundtrip::inversion
