// Direct inversion (PnP inversion): each guided step's error is stored, and added back.
//
//   d_i = pivot_{i-1} - PHI(pivot_i; i -> i-1, eps_w(pivot_i, tau_i))
// Ju, Zeng, Bian, Liu & Xu, "PnP Inversion: Boosting Diffusion-based Editing with 3 Lines of Code", ICLR 2024. The walk
// of the source prompt, corrected by d_i, is the pivots' own: its reconstruction is exact whatever the inversion did,
// and does not test it. The inversion's error is the corrections' mean square, in per_step as the loss.
// An edit walks under the target prompt uncorrected; `target_scale` adds that share of d_i to it, as the paper's
// ablation does. eta is not read.
#include "inversion/ddim_method.h"

namespace roundtrip::inversion {
namespace {

constexpr const char* kByConstruction =
    "reconstruction is exact by construction, so do not rank it; per_step/loss has the error that was corrected";
constexpr const char* kCorrections = "corrections";  // d_i [S, C, h, w], the noisiest first

class CorrectedSampler : public Sampler {
 public:
  CorrectedSampler(const Problem& run, const Inversion& inversion, const Conditioning& conditioning, double scale)
      : Sampler(run, inversion.pivots.back(), conditioning),
        corrections_(inversion.state.at(kCorrections)),
        scale_(scale) {}

  Tensor step(const Tensor& x, const diffusion::CfgOut& out, int i) const override {
    const Tensor led = run.grid.step(x, diffusion::cfg(out, w()), i, i - 1);
    return at::add(led, corrections_[run.grid.steps() - i], scale_);
  }

 private:
  Tensor corrections_;
  double scale_;
};

class Direct : public DdimMethod {
 public:
  explicit Direct(const config::Params& params) : target_scale_(params.get_float("target_scale", {.min = 0})) {}

  Task<Inversion> fit(const Problem& run, Inversion inversion) const override {
    const Guided eps_w = run.sampling(run.source);
    const Trajectory& pivots = inversion.pivots;
    std::vector<Tensor> corrections;
    for (int i = run.grid.steps(); i >= 1; --i) {
      const Tensor eps = co_await eps_w(pivots[i], i);
      corrections.push_back(pivots[i - 1] - run.grid.step(pivots[i], eps, i, i - 1));
      inversion.losses[i] = {mean_square(corrections.back())};
    }
    inversion.state[kCorrections] = at::stack(corrections);
    inversion.reconstruction = {pivots.rbegin(), pivots.rend()};
    inversion.notes.emplace_back(kByConstruction);
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<CorrectedSampler>(run, inversion, guidance.conditioning,
                                              guidance.is_edit ? target_scale_ : 1);
  }

  Trajectory known_reconstruction(const Problem&, const Inversion& inversion) const override {
    return inversion.reconstruction;
  }

 private:
  double target_scale_;
};

const RegisteredMethod<Direct> direct(
    {.name = "direct",
     .summary = "stores each guided step's error and adds it back; exact by construction, so do not rank it",
     .source = "Ju et al., PnP Inversion, ICLR 2024"});

}  // namespace
}  // namespace roundtrip::inversion
