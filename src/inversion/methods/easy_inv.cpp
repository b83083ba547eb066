// EasyInv: DDIM inversion whose latents are mixed with those before them in a window of early steps.
//
//   x <- eta x + (1 - eta) x',   then PHI(x; i-1 -> i, eps)
// in the steps k = i - 1 with start_at S < k < stop_at S, where x' is what the step before started from, mixed itself.
// Zhang, Lin, Yan & Ji, "EasyInv: Toward Fast and Better DDIM Inversion", ICML 2025 (arXiv 2408.05159). As in the
// released code, eps is asked at the latent before it is mixed, and both ends of the window are left out.
//
// With eta = 1 it is DDIM inversion. Otherwise the walk is slower in the window by the factor eta, however many steps
// there are: its noise is not that of the ODE, and the error of the round trip does not vanish with more steps.
#include "inversion/method.h"

namespace roundtrip::inversion {
namespace {

class EasyInv : public Method {
 public:
  explicit EasyInv(const config::Params& params)
      : eta(params.get_float("eta", {.min = 0, .max = 1})),
        start_at_(params.get_float("start_at", {.min = 0, .max = 1})),
        stop_at_(params.get_float("stop_at", {.min = 0, .max = 1})) {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    const int S = run.grid.steps();
    const Guided eps_w = run.inverting();
    Inversion inversion;
    inversion.pivots = {std::move(x0)};
    Tensor last;  // the latent that the step before started from
    for (int i = 1; i <= S; ++i) {
      const Tensor unmixed = inversion.pivots.back();
      const Tensor eps = co_await eps_w(unmixed, run.eps_at() == EpsAt::kTo ? i : i - 1);
      const int k = i - 1;
      const bool mixes = start_at_ * S < k && k < stop_at_ * S;  // k > 0, so there is a step before
      last = mixes ? at::lerp(last, unmixed, eta) : unmixed;
      inversion.pivots.push_back(run.grid.step(last, eps, i - 1, i));
    }
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<Sampler>(run, inversion.pivots.back(), guidance.conditioning);
  }

 private:
  double eta;  // the paper's letter
  double start_at_, stop_at_;
};

const RegisteredMethod<EasyInv> easy_inv(
    {.name = "easy_inv",
     .summary = "DDIM inversion whose early latents are mixed with those of the step before; no further evaluations",
     .source = "Zhang et al., EasyInv, ICML 2025 (arXiv 2408.05159)",
     .converges = false});

}  // namespace
}  // namespace roundtrip::inversion
