// LEDITS++: edit-friendly inversion for the second-order solver of the diffusion SDE.
//
//   x_i = sqrt(r) x_0 + sqrt(1 - r) n_i,  r = alpha_bar_i / alpha_bar_0, the n_i independent of each other
//   z_i = (x_{i-1} - mu_i) / sigma_i    (noise_maps.h)
// where mu_i + sigma_i z is the step of sde-dpmsolver++ (multistep.h), whose mean depends on the step before it. Brack,
// Friedrich, Kornmeier, Tsaban, Schramowski, Kersting & Passos, "LEDITS++: Limitless Image Editing using Text-to-Image
// Models", CVPR 2024 (arXiv 2311.16711), with its pipeline in diffusers. Sampling replays the maps; an edit does so
// under the target prompt at w. `solver: ddpm` is what that pipeline does with a DDIM scheduler: edit_friendly, with
// the last map kept.
//
// The pipeline makes int((1 + skip) N) steps and walks the N last ones. Here the steps S are given: N is the largest
// such number. It inverts without a prompt unless one is given; here the source prompt is the sample's. Its semantic
// guidance by several concepts, and the masks from attention that bound it, are not here: an editor brings masks.
#include <cmath>

#include "inversion/method.h"
#include "inversion/multistep.h"
#include "inversion/noise_maps.h"

namespace roundtrip::inversion {
namespace {

// The mean of a step, from the predictions of one walk down.
class Means {
 public:
  Means(const diffusion::StepGrid& grid, bool second_order)
      : grid_(&grid), second_order_(second_order), predictions_(grid.steps()) {}

  Tensor operator()(const Tensor& x, const Tensor& eps, int i) {
    // A clean end without noise is a step of infinite length in lambda.
    const bool first_order = !second_order_ || (*grid_)[i - 1].s == 0;
    return sde_mean(*grid_, x, predictions_.push(*grid_, predicted_x0(*grid_, x, eps, i), i, first_order), i);
  }

 private:
  const diffusion::StepGrid* grid_;
  bool second_order_;
  PredictionsOfX0 predictions_;
};

class ReplayingSampler : public Sampler {
 public:
  ReplayingSampler(const Problem& run, const Inversion& inversion, const Guidance& guidance, bool second_order)
      : Sampler(run, inversion.pivots.back(), guidance.conditioning),
        w_(guidance.is_edit ? run.w() : run.invert_w()),
        maps_(inversion.state.at(kNoiseMaps)),
        skipped_(inversion.pivots.rbegin(), inversion.pivots.rend() - maps_.size(0)),
        means_(run.grid, second_order) {}

  Trajectory start() const override { return skipped_; }
  double w() const override { return w_; }
  Tensor step(const Tensor& x, const diffusion::CfgOut& out, int i) const override {
    return at::add(means_(x, diffusion::cfg(out, w()), i), maps_[maps_.size(0) - i], run.grid.sigma(1, i, i - 1));
  }

 private:
  double w_;
  Tensor maps_;          // z_i [N, C, h, w], the noisiest first
  Trajectory skipped_;   // x_S down to x_N
  mutable Means means_;  // remembers the step before
};

class LeditsPp : public Method {
 public:
  explicit LeditsPp(const config::Params& params)
      : skip_(params.get_float("skip", {.min = 0, .max = 1})),
        second_order_(params.get_string("solver", {"sde_dpm_2", "ddpm"}) == "sde_dpm_2") {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    Inversion inversion;
    Trajectory& x = inversion.pivots;
    x = {x0};
    for (int i = 1; i <= run.grid.steps(); ++i) {
      x.push_back(run.grid.noised(x0, run.noise(NoisePurpose::kForward, i, x0), 0, i));
    }
    Task<Tensor> maps =
        noise_maps(run, x, walked(run.grid.steps()), Means(run.grid, second_order_), /*keeps_last=*/true);
    inversion.state[kNoiseMaps] = co_await maps;
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<ReplayingSampler>(run, inversion, guidance, second_order_);
  }

  double default_invert_w(double) const override { return 3.5; }

 private:
  // The largest N with int((1 + skip) N) <= S.
  int walked(int S) const {
    int N = S;
    while (N > 1 && std::floor((1 + skip_) * N + 1e-9) > S) --N;
    return N;
  }

  double skip_;
  bool second_order_;
};

const RegisteredMethod<LeditsPp> ledits_pp(
    {.name = "ledits_pp",
     .summary = "edit-friendly noise maps of the second-order solver sde-dpmsolver++; keeps every map (LEDITS++)",
     .source = "Brack et al., LEDITS++, CVPR 2024 (arXiv 2311.16711)",
     .converges = false,
     .only_for = diffusion::Out::kEps});

}  // namespace
}  // namespace roundtrip::inversion
