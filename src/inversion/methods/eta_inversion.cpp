// Eta inversion: DDIM's stochastic step for the target, with the noise that serves the source best.
//
//   n* = (x*_{i-1} - mu_i(x*_i)) / sigma_i      the noise that would lead the source from pivot to pivot
//   n_i = the one of N draws that is nearest to n*,     x_{i-1} = mu_i(x_i) + sigma_i n_i      for the target
// where mu_i + sigma_i n is DDIM's step at eta(tau_i), guided at w, and x* are DDIM's pivots. Kang, Galim & Koo, "Eta
// Inversion: Designing an Optimal Eta Function for Diffusion-based Real Image Editing", ECCV 2024 (arXiv 2403.09468).
// eta is linear in the timestep, as in its released settings. The source is set to its pivots, so a reconstruction is
// exact by construction. The draws are chosen in the fit, once for all edits of an image; the released code chooses
// them on the way, which is the same. Its mask, which keeps eta to where the source attends to the edited word, is not
// here: eta holds everywhere.
#include <cmath>

#include "inversion/ddim_method.h"

namespace roundtrip::inversion {
namespace {

constexpr const char* kByConstruction =
    "reconstruction is exact by construction, so do not rank it; per_step/loss has the distance of the noise chosen";
constexpr const char* kNoises = "noises";  // n_i [S, C, h, w], the noisiest first

class EtaInversion : public DdimMethod {
 public:
  explicit EtaInversion(const config::Params& params)
      : eta_clean_(params.get_float("eta_clean", {.min = 0, .max = 1})),
        eta_noisy_(params.get_float("eta_noisy", {.min = 0, .max = 1})),
        draws_(params.get_int("draws", {.min = 1, .max = 100000})) {}

  Task<Inversion> fit(const Problem& run, Inversion inversion) const override {
    const Guided eps_w = run.sampling(run.source);
    const Trajectory& x = inversion.pivots;
    std::vector<Tensor> noises;
    for (int i = run.grid.steps(); i >= 1; --i) {
      const double sigma = sigma_of(run.grid, i);
      if (sigma == 0) {
        noises.push_back(at::zeros_like(x[i]));
        continue;
      }
      const Tensor eps = co_await eps_w(x[i], i);
      const Tensor wanted = (x[i - 1] - run.grid.step(x[i], eps, i, i - 1, sigma)) / sigma;
      const Tensor several = at::empty({1}, x[i].options()).expand({draws_, x[i].size(0), x[i].size(1), x[i].size(2)});
      const Tensor drawn = run.noise(NoisePurpose::kSampling, i, several);  // [N, C, h, w]
      const Tensor distance = (drawn - wanted).square().flatten(1).mean(1);
      const auto nearest = distance.argmin().item<int64_t>();
      noises.push_back(drawn[nearest].clone());
      inversion.losses[i] = {distance[nearest].item<double>()};
    }
    inversion.state[kNoises] = at::stack(noises);
    inversion.reconstruction = {x.rbegin(), x.rend()};
    inversion.notes.emplace_back(kByConstruction);
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<NoisySampler>(run, inversion, guidance.conditioning, *this);
  }

  Trajectory known_reconstruction(const Problem&, const Inversion& inversion) const override {
    return inversion.reconstruction;
  }

 private:
  class NoisySampler : public Sampler {
   public:
    NoisySampler(const Problem& run, const Inversion& inversion, const Conditioning& conditioning,
                 const EtaInversion& method)
        : Sampler(run, inversion.pivots.back(), conditioning), noises_(inversion.state.at(kNoises)), method_(method) {}

    Tensor step(const Tensor& x, const diffusion::CfgOut& out, int i) const override {
      const double sigma = method_.sigma_of(run.grid, i);
      const Tensor mu = run.grid.step(x, diffusion::cfg(out, w()), i, i - 1, sigma);
      return at::add(mu, noises_[run.grid.steps() - i], sigma);
    }

   private:
    Tensor noises_;
    const EtaInversion& method_;
  };

  // sigma_i, at eta(tau_i).
  double sigma_of(const diffusion::StepGrid& grid, int i) const {
    return grid.sigma(std::lerp(eta_clean_, eta_noisy_, grid[i].t / grid.last_timestep()), i, i - 1);
  }

  double eta_clean_, eta_noisy_;
  int64_t draws_;
};

const RegisteredMethod<EtaInversion> eta_inversion(
    {.name = "eta_inversion",
     .summary = "DDIM's pivots; an edit takes stochastic steps whose noise is the nearest of several to the source's",
     .source = "Kang et al., Eta Inversion, ECCV 2024 (arXiv 2403.09468)",
     .only_for = diffusion::Out::kEps});

}  // namespace
}  // namespace roundtrip::inversion
