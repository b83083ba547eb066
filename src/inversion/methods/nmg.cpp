// Noise map guidance: before each guided step, the reconstruction is steered to DDIM's pivots by a gradient.
//
//   L(x) = mean |PHI(x; i -> i-1, e) - x*_{i-1}|,   e = eps(x, tau_i, null)
//   x <- PHI(x; i -> i-1, e + w_map s_i grad_scale dL/dx)      the noise-map step
//   x <- PHI(x; i -> i-1, eps_w(x, tau_i))                     the text step
// Cho, Lee, Kim, Oh & Jeong, "Noise Map Guidance: Inversion with Spatial Context for Real Image Editing", ICLR 2024
// (arXiv 2402.04625), as its released code runs it: each timestep is walked twice, the second time from the first
// one's result but with the same levels, so the walk does not end where the pivots began even without guidance. Of an
// edit's two branches only the source's is steered; the target's is plain guided sampling, and feels the guidance
// through an editor that copies attention from the source. The reconstruction in the released notebook has twice the
// grad_scale of its edits.
#include "inversion/ddim_method.h"

namespace roundtrip::inversion {
namespace {

class SteeredSampler : public Sampler {
 public:
  SteeredSampler(const Problem& run, const Inversion& inversion, const Conditioning& conditioning, double strength)
      : Sampler(run, inversion.pivots.back(), conditioning),
        null_(run, CfgPair{run.null, run.null}, 1),
        pivots_(inversion.pivots),
        strength_(strength) {}

  // The noise-map step.
  Task<Tensor> lead_in(Tensor x, int i) const override {
    const diffusion::StepGrid& grid = run.grid;
    const double scale = 1.0 / static_cast<double>(x.numel());
    Tensor eps, d_L;                                                  // d_L: d L / d PHI
    const Guided::Cotangent d_eps = [&](const Tensor& e) -> Tensor {  // d L / d eps
      eps = e;
      d_L = scale * (grid.step(x, e, i, i - 1) - pivots_[i - 1]).sign();
      return d_L * grid.out_coefficient(i, i - 1);
    };
    const Tensor through_eps = co_await null_.gradient(x, i, d_eps);
    const Tensor d_x = d_L * (grid[i - 1].c / grid[i].c) + through_eps;
    co_return grid.step(x, at::add(eps, d_x, strength_ * grid[i].s), i, i - 1);
  }

 private:
  Guided null_;
  Trajectory pivots_;
  double strength_;
};

class NoiseMapGuidance : public DdimMethod {
 public:
  explicit NoiseMapGuidance(const config::Params& params)
      : strength_(params.get_float("grad_scale", {.min = 0}) * params.get_float("noise_map_guidance", {.min = 0})) {}

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    if (guidance.is_edit) return std::make_unique<Sampler>(run, inversion.pivots.back(), guidance.conditioning);
    return std::make_unique<SteeredSampler>(run, inversion, guidance.conditioning, strength_);
  }

 private:
  double strength_;
};

const RegisteredMethod<NoiseMapGuidance> nmg(
    {.name = "nmg",
     .summary = "DDIM's inversion; the source's way back is steered to the pivots by a gradient (noise map guidance)",
     .source = "Cho et al., Noise Map Guidance, ICLR 2024",
     .needs_cfg = true,
     .converges = false,
     .only_for = diffusion::Out::kEps});

}  // namespace
}  // namespace roundtrip::inversion
