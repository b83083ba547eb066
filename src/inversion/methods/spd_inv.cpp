// Source-prompt-disentangled inversion: each implicit step solved by gradient descent through the network.
//
//   min_z  mean (z - g(z))^2,   g(z) = PHI(x_{i-1}; i-1 -> i, eps_w(z, tau_i)),   from the explicit step
// Li, Zhang, Fang & Zhang, "Source Prompt Disentangled Inversion for Boosting Image Editability with Diffusion Models",
// ECCV 2024 (arXiv 2403.11105). The gradient flows through both sides. As in its released code the optimiser is AdamW
// with a weight decay of 0.01, made anew for each step, and a step ends after the update from a loss below the
// threshold. Each of Adam's updates is about as large as the learning rate, whatever the loss: the residual does not
// fall with S. Sampling has the source prompt in the null prompt's place, as negative_prompt does; the released code
// also draws the walk to the pivots (proximal_negative_prompt's inversion guidance), which is not here.
#include "inversion/adam.h"
#include "inversion/implicit_method.h"

namespace roundtrip::inversion {
namespace {

class SpdInv : public ImplicitMethod {
 public:
  explicit SpdInv(const config::Params& params)
      : iterations_(params.get_int("iterations", {.min = 0, .max = 100000})),
        learning_rate_(params.get_float("learning_rate", {.min = 0})),
        threshold_(params.get_float("threshold", {.min = 0})),
        against_source_(params.get_string("negative", {"source", "null"}) == "source") {}

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    const CfgPair pair{guidance.conditioning, against_source_ ? run.source : run.null};
    return std::make_unique<Sampler>(run, inversion.pivots.back(), [pair](int) { return pair; });
  }

  double default_invert_w(double) const override { return 1; }

 private:
  Task<Tensor> solve(const ImplicitStep& step, std::vector<double>& losses) const override {
    constexpr double kWeightDecay = 0.01;
    const Tensor explicit_eps = co_await step.eps(step.from);
    Tensor z = step.up(explicit_eps);
    Adam adam(learning_rate_, kWeightDecay);
    const double scale = 2.0 / static_cast<double>(z.numel());
    for (int64_t k = 0; k < iterations_; ++k) {
      Tensor miss;                                                           // z - g(z)
      const Guided::Cotangent d_loss = [&](const Tensor& eps_w) -> Tensor {  // through g
        miss = z - step.up(eps_w);
        return miss * (-scale * step.run.grid.out_coefficient(step.i - 1, step.i));
      };
      const Tensor through_eps = co_await step.eps_w.gradient(z, step.i, d_loss);
      losses.push_back(mean_square(miss));
      z = adam.step(z, scale * miss + through_eps);
      if (losses.back() < threshold_) break;
    }
    co_return z;
  }

  int64_t iterations_;
  double learning_rate_, threshold_;
  bool against_source_;
};

const RegisteredMethod<SpdInv> spd_inv(
    {.name = "spd_inv",
     .summary = "gradient descent, by AdamW through the network, on the implicit DDIM step (SPDInv)",
     .source = "Li et al., Source Prompt Disentangled Inversion, ECCV 2024",
     .needs_cfg = true,
     .converges = false});

}  // namespace
}  // namespace roundtrip::inversion
