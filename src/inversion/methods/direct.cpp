// Direct inversion (PnP inversion): what the guided walk back misses at each step is kept, and added again.
//
//   d_i = pivot_{i-1} - PHI(pivot_i; i -> i-1, eps_w(pivot_i, tau_i))
// Ju, Zeng, Bian, Liu & Xu, "PnP Inversion: Boosting Diffusion-based Editing with 3 Lines of Code", ICLR 2024. The walk
// of the source prompt, corrected by d_i, is the pivots' own: its reconstruction is exact whatever the inversion did,
// and no test of it. What the inversion missed is the corrections' mean square, which stands in per_step as the loss.
// An edit walks under the target prompt uncorrected; `target_scale` adds that share of d_i to it, as the paper's
// ablation does. eta is not read.
#include "diffusion/transfer.h"
#include "inversion/ddim_method.h"

namespace roundtrip::inversion {
namespace {

constexpr const char* kByConstruction =
    "reconstruction is exact by construction, not to be ranked; per_step/loss tells what was corrected";
constexpr const char* kCorrections = "corrections";  // d_i [S, C, h, w], the noisiest first

class Direct : public DdimMethod {
 public:
  explicit Direct(const config::Params& params) : target_scale_(params.get_float("target_scale", {.min = 0})) {}

  Task<Inversion> fit(const Problem& p, Inversion inversion) const override {
    const Trajectory& pivots = inversion.pivots;
    std::vector<Tensor> corrections;
    for (int i = p.grid.steps(); i >= 1; --i) {
      const Tensor eps = co_await guided(p, pivots[i], p.grid.time(i), p.source, p.null, p.w);
      corrections.push_back(pivots[i - 1] - down(p, pivots[i], i, eps));
      inversion.losses[i] = {corrections.back().square().mean().item<double>()};
    }
    inversion.state[kCorrections] = at::stack(corrections);
    inversion.reconstruction = {pivots.rbegin(), pivots.rend()};
    inversion.notes.emplace_back(kByConstruction);
    co_return inversion;
  }

  Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                          const Conditioning& conditioning) const override {
    if (!p.edits) co_return inversion.reconstruction;
    const Tensor corrections = inversion.state.at(kCorrections);
    Tensor x = inversion.pivots.back();
    Trajectory path{x};
    for (int i = p.grid.steps(); i >= 1; --i) {
      const Tensor eps = co_await guided(p, x, p.grid.time(i), conditioning, p.null, p.w);
      x = at::add(down(p, x, i, eps), corrections[p.grid.steps() - i], target_scale_);
      path.push_back(x);
    }
    co_return path;
  }

  Reads fit_reads() const override { return {.w = true}; }
  Reads sample_reads(double) const override { return {.w = true}; }
  Evaluations fit_evaluations(const Ask& ask) const override {
    return {.forward = guided_rows(ask.steps, ask.w, ask.null_source)};
  }
  Evaluations sample_evaluations(const Ask& ask) const override {
    return {.forward = ask.edits ? guided_rows(ask.steps, ask.w, ask.null_sampled) : 0};
  }

 private:
  static Tensor down(const Problem& p, const Tensor& x, int i, const Tensor& eps) {
    return diffusion::transfer(x, eps, p.grid.alpha_bar(i), p.grid.alpha_bar(i - 1));
  }

  double target_scale_;
};

const MethodRegistration registration(
    {.name = "direct",
     .summary = "stores each guided step's error and adds it back; exact by construction, so do not rank it",
     .source = "Ju et al., PnP Inversion, ICLR 2024"},
    [](const config::Params& params) -> std::unique_ptr<Method> { return std::make_unique<Direct>(params); });

}  // namespace
}  // namespace roundtrip::inversion
