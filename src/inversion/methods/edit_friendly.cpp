// Edit-friendly DDPM inversion: noise maps that lead the stochastic sampler through independent noisings of the image.
//
//   x_i = sqrt(r) x_0 + sqrt(1 - r) n_i,  r = alpha_bar_i / alpha_bar_0, the n_i independent of each other
//   z_i = (x_{i-1} - mu_i(x_i)) / sigma_i,   x_{i-1} <- mu_i(x_i) + sigma_i z_i    against rounding, the noisiest first
// where mu_i + sigma_i z is the sampling step at eta = 1. Sampling replays the maps; an edit does so under the target
// prompt at w. Huberman-Spiegelglas, Kulikov & Michaeli, "An Edit Friendly DDPM Noise Space", CVPR 2024.
//
// The maps carry the image, S latents of state, so the latents themselves do not compare with those of ODE inversions.
// A reconstruction replays at the inversion's own w. As published the last map is 0 and a reconstruction inexact:
// `last_map: kept` keeps it. `skip` is the share of the noisiest steps that sampling leaves out, starting from x_i
// there.
#include <cmath>

#include "diffusion/transfer.h"
#include "inversion/ddim_walk.h"

namespace roundtrip::inversion {
namespace {

constexpr const char* kMaps = "noise_maps";  // z_i [S, C, h, w], the noisiest first

class EditFriendly : public Method {
 public:
  explicit EditFriendly(const config::Params& params)
      : skip_(params.get_float("skip", {.min = 0, .max = 1})),
        keeps_last_(params.get_string("last_map", {"zero", "kept"}) == "kept") {}

  Task<Inversion> invert(const Problem& p, Tensor x0) const override {
    const int S = p.grid.steps();
    Inversion inversion;
    Trajectory& x = inversion.pivots;
    x = {x0};
    for (int i = 1; i <= S; ++i) {
      const Tensor noise = p.noise(NoisePurpose::kForward, i, x0);
      x.push_back(diffusion::forward_step(x0, noise, p.grid.alpha_bar(0), p.grid.alpha_bar(i)));
    }
    std::vector<Tensor> maps;
    for (int i = S; i >= 1; --i) {
      const Tensor eps = co_await guided(p, x[i], p.grid.time(i), p.source, p.null, p.invert_w);
      const Step step(p.grid, i);
      const Tensor mu = step.mean(x[i], eps);
      // Where sigma is 0, as from timestep 0 to a clean end at its own level, no map leads anywhere.
      const bool none = step.sigma == 0 || (i == 1 && !keeps_last_);
      maps.push_back(none ? at::zeros_like(mu) : (x[i - 1] - mu) / step.sigma);
      if (i > 1) x[i - 1] = at::add(mu, maps.back(), step.sigma);
    }
    inversion.state[kMaps] = at::stack(maps);
    co_return inversion;
  }

  Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                          const Conditioning& conditioning) const override {
    const int S = p.grid.steps(), first = first_step(S);
    const Tensor maps = inversion.state.at(kMaps);
    const double w = p.edits ? p.w : p.invert_w;
    Trajectory path(inversion.pivots.rbegin(), inversion.pivots.rend() - first);  // x_S down to where sampling starts
    for (int i = first; i >= 1; --i) {
      const Tensor& x = path.back();
      const Tensor eps = co_await guided(p, x, p.grid.time(i), conditioning, p.null, w);
      const Step step(p.grid, i);
      path.push_back(at::add(step.mean(x, eps), maps[S - i], step.sigma));
    }
    co_return path;
  }

  Reads invert_reads() const override { return {.invert_w = true, .seed = true}; }
  Reads sample_reads(double) const override { return {.invert_w = true, .w = true}; }
  Evaluations invert_evaluations(const Ask& ask) const override {
    return {.forward = guided_rows(ask.steps, ask.invert_w, ask.null_source)};
  }
  Evaluations sample_evaluations(const Ask& ask) const override {
    return {.forward = guided_rows(first_step(ask.steps), ask.edits ? ask.w : ask.invert_w, ask.null_sampled)};
  }
  double default_invert_w(double) const override { return 3.5; }  // the paper's w_src

 private:
  // The sampling step from grid index i to i - 1 at eta = 1.
  struct Step {
    double from, to, sigma;
    Step(const diffusion::StepGrid& grid, int i)
        : from(grid.alpha_bar(i)), to(grid.alpha_bar(i - 1)), sigma(diffusion::ddim_sigma(1, from, to)) {}
    Tensor mean(const Tensor& x, const Tensor& eps) const { return diffusion::transfer(x, eps, from, to, sigma); }
  };

  int first_step(int S) const { return S - static_cast<int>(std::lround(skip_ * S)); }

  double skip_;
  bool keeps_last_;
};

const MethodRegistration registration(
    {.name = "edit_friendly",
     .summary = "noise maps that lead the DDPM sampler through independent noisings of the image; keeps every map",
     .source = "Huberman-Spiegelglas et al., An Edit Friendly DDPM Noise Space, CVPR 2024",
     .converges = false},  // as published the last step's map is 0: its share of the noise is lost at any S
    [](const config::Params& params) -> std::unique_ptr<Method> { return std::make_unique<EditFriendly>(params); });

}  // namespace
}  // namespace roundtrip::inversion
