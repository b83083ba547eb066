// The random-noise baseline: no inversion at all, fresh noise at every step of the forward process.
//
// A Markov chain, not a prediction: it asks no network, and its noise knows nothing of the image but what the last
// alpha_bar leaves. Null-text inversion's ablation uses it in place of pivots (Mokady et al., CVPR 2023, section 4).
#include <limits>

#include "inversion/ddim_walk.h"
#include "inversion/forward_chain.h"
#include "inversion/method.h"

namespace roundtrip::inversion {
namespace {

class ForwardNoise : public Method {
 public:
  Task<Inversion> invert(const Problem& p, Tensor x0) const override {
    Inversion inversion;
    inversion.pivots = forward_chain(p, std::move(x0));
    co_return inversion;
  }

  Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                          const Conditioning& conditioning) const override {
    return ddim_sample(p, inversion.pivots.back(), conditioning);
  }

  Reads invert_reads() const override { return forward_chain_reads(); }
  Reads sample_reads(double eta) const override { return {.w = true, .eta = true, .seed = eta != 0}; }

  Evaluations invert_evaluations(const Ask&) const override { return {}; }
  Evaluations sample_evaluations(const Ask& ask) const override {
    return {.forward = guided_rows(ask.steps, ask.w, ask.null_sampled)};
  }
  double default_invert_w(double) const override { return std::numeric_limits<double>::quiet_NaN(); }
};

const MethodRegistration registration(
    {.name = "forward_noise",
     .summary = "fresh Gaussian noise instead of an inversion: the floor that every method must beat",
     .source = "Ho et al., Denoising Diffusion Probabilistic Models, NeurIPS 2020, eq. 2",
     .converges = false},
    [](const config::Params&) -> std::unique_ptr<Method> { return std::make_unique<ForwardNoise>(); });

}  // namespace
}  // namespace roundtrip::inversion
