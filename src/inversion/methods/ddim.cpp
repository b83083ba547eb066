// Plain DDIM inversion: the deterministic sampler run in reverse.
//
// Song, Meng & Ermon, "Denoising Diffusion Implicit Models", ICLR 2021. The implicit step x_i = PHI(x_{i-1}, eps(x_i,
// tau_i)) is made explicit by evaluating eps at x_{i-1}; `eps_at` says with which timestep. Guidance may differ between
// the two ways: with w > 1 on the way back each step's error grows, which the other methods exist to prevent.
#include "inversion/ddim_method.h"

namespace roundtrip::inversion {
namespace {

class Ddim : public DdimMethod {
 public:
  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<Sampler>(run, inversion.pivots.back(), guidance.conditioning);
  }
};

const RegisteredMethod<Ddim> ddim({.name = "ddim",
                                   .summary = "DDIM run in reverse, eps evaluated at the current latent",
                                   .source = "Song et al., Denoising Diffusion Implicit Models, ICLR 2021"});

}  // namespace
}  // namespace roundtrip::inversion
