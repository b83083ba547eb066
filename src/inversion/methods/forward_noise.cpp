// The random-noise baseline: fresh noise at every step of the forward process instead of an inversion.
//
// A Markov chain, not a prediction: it asks no network, and its noise depends on the image only through what the last
// alpha_bar leaves. Null-text inversion's ablation uses it in place of pivots (Mokady et al., CVPR 2023, section 4).
#include "inversion/forward_chain.h"
#include "inversion/method.h"

namespace roundtrip::inversion {
namespace {

class ForwardNoise : public Method {
 public:
  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    Inversion inversion;
    inversion.pivots = forward_chain(run, std::move(x0));
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<Sampler>(run, inversion.pivots.back(), guidance.conditioning);
  }
};

const RegisteredMethod<ForwardNoise> forward_noise(
    {.name = "forward_noise",
     .summary = "fresh Gaussian noise instead of an inversion: the floor that every method must beat",
     .source = "Ho et al., Denoising Diffusion Probabilistic Models, NeurIPS 2020, eq. 2",
     .converges = false});

}  // namespace
}  // namespace roundtrip::inversion
