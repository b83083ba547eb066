// FlowOpt: the noise corrected by the error of the whole round trip, with no gradient through the network.
//
//   z <- z - learning_rate (f(z) - x_0),   f(z) the sample that z leads to
// from Uni-Inv's z. Ronai, Kulikov & Michaeli, "FlowOpt: Fast Optimization Through Whole Flow Processes for
// Training-Free Editing", 2025 (arXiv 2510.22010): gradient descent on |f(z) - x_0|^2 with the identity in place of f's
// Jacobian. f is Euler's sampler (DDIM's, on diffusion models) under the source prompt at the inversion's w, which is
// that of sampling unless invert_guidance_scale is set. It converges for small learning rates only. Each loss is the
// mean square of f(z) - x_0 before an update, in per_step at the noisiest step. The latents between the image and z are
// Uni-Inv's. The paper's editing, which follows the same iteration under the target prompt, is not here.
#include "inversion/method.h"
#include "inversion/uni_invert.h"

namespace roundtrip::inversion {
namespace {

class FlowOpt : public Method {
 public:
  explicit FlowOpt(const config::Params& params)
      : iterations_(params.get_int("iterations", {.min = 0, .max = 100000})),
        learning_rate_(params.get_float("learning_rate", {.min = 0})) {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    const int S = run.grid.steps();
    const Guided out_w = run.inverting();
    Inversion inversion;
    Task<Trajectory> walking = uni_invert(run, x0, /*zero_init=*/false);
    inversion.pivots = co_await walking;
    Tensor& z = inversion.pivots.back();
    for (int64_t k = 0; k < iterations_; ++k) {
      Tensor x = z;
      for (int i = S; i >= 1; --i) {
        const Tensor out = co_await out_w(x, i);
        x = run.grid.step(x, out, i, i - 1);
      }
      inversion.losses[S].push_back(mean_square(x - x0));
      z = at::sub(z, x - x0, learning_rate_);
    }
    note_if_unstable(inversion);
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<Sampler>(run, inversion.pivots.back(), guidance.conditioning);
  }

  double default_invert_w(double w) const override { return w; }  // of the sampling whose error it corrects

 private:
  int64_t iterations_;
  double learning_rate_;
};

const RegisteredMethod<FlowOpt> flowopt(
    {.name = "flowopt",
     .summary = "Uni-Inv's noise corrected by the error of the whole round trip, without gradients",
     .source = "Ronai et al., FlowOpt, 2025 (arXiv 2510.22010)"});

}  // namespace
}  // namespace roundtrip::inversion
