// Plain DDIM inversion: the deterministic sampler walked backwards.
//
// Song, Meng & Ermon, "Denoising Diffusion Implicit Models", ICLR 2021. The implicit step x_t = PHI(x_{t-1}, eps(x_t,
// t)) is made explicit by evaluating eps at x_{t-1}; `eps_at` says with which timestep. Guidance may differ on the two
// ways: with w > 1 on the way back each step's error grows, which is what the other methods are for.
#include "inversion/ddim_method.h"

namespace roundtrip::inversion {
namespace {

class Ddim : public DdimMethod {
 public:
  Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                          const Conditioning& conditioning) const override {
    return ddim_sample(p, inversion.pivots.back(), conditioning);
  }

  Evaluations sample_evaluations(const Ask& ask) const override {
    return {.forward = guided_rows(ask.steps, ask.w, ask.null_sampled)};
  }
};

const MethodRegistration registration({.name = "ddim",
                                       .summary = "DDIM sampling walked backwards, eps at the latent stepped from",
                                       .source = "Song et al., Denoising Diffusion Implicit Models, ICLR 2021"},
                                      [](const config::Params&) -> std::unique_ptr<Method> {
                                        return std::make_unique<Ddim>();
                                      });

}  // namespace
}  // namespace roundtrip::inversion
