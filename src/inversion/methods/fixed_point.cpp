// Fixed-point inversion: DDIM's implicit step solved by iterating it.
//
//   z_0 = x_{i-1},  z_1 = g(z_0),  then  z_{k+1} = g(z_k)                                  acceleration: none
//                                        z_{k+1} = (g(z_k) + g(z_{k-1})) / 2                            averaging
//                                        z_{k+1} = sum_j alpha_j g(z_j) over a window                   anderson
//   and at the end                       x_i = (g(z_0) + .. + g(z_K)) / (K + 1), iterated as none        mean
// none: Meiri et al., "Fixed-point Inversion for Text-to-image Diffusion Models", 2023 (arXiv 2312.12540v1). averaging
// and anderson: Pan et al., "Effective Real Image Editing with Accelerated Iterative Diffusion Inversion" (AIDI-E and
// AIDI-A), ICCV 2023. Anderson's alpha minimises |sum_j alpha_j (g(z_j) - z_j)|^2 at sum_j alpha_j = 1 (Walker & Ni,
// SIAM J. Numer. Anal. 2011), with a Tikhonov term relative to the residuals: near the solution they are parallel.
// mean: the inversion of FTEdit (Xu et al., "Unveil Inversion and Invariance in Flow Transformer for Versatile Image
// Editing", CVPR 2025) as its released code steps. The mean has the explicit step in it, which undoes most of what the
// iterations gained.
//
// It diverges where eps changes faster with z than the step shrinks it: few steps, large w.
#include <cmath>

#include "inversion/implicit_method.h"

namespace roundtrip::inversion {
namespace {

enum class Acceleration { kNone, kAveraging, kAnderson, kMean };

Acceleration acceleration_of(const std::string& name) {
  if (name == "averaging") return Acceleration::kAveraging;
  if (name == "mean") return Acceleration::kMean;
  return name == "anderson" ? Acceleration::kAnderson : Acceleration::kNone;
}

// alpha of Anderson's mixing for residuals f [m, D].
Tensor anderson_weights(const Tensor& f, double tikhonov) {
  const int64_t m = f.size(0);
  const Tensor products = at::matmul(f, f.t());  // [m, m]
  const Tensor damping = at::eye(m, f.options()) * (tikhonov * products.trace() / static_cast<double>(m));
  const Tensor alpha = std::get<0>(at::linalg_solve_ex(products + damping, at::ones({m}, f.options())));
  return alpha / alpha.sum();
}

class FixedPoint : public ImplicitMethod {
 public:
  explicit FixedPoint(const config::Params& params)
      : iterations_(params.get_int("iterations", {.min = 0, .max = 100000})),
        tolerance_(params.get_float("tolerance", {.min = 0})),
        acceleration_(acceleration_of(params.get_string("acceleration", {"none", "averaging", "anderson", "mean"}))),
        window_(params.get_int("window", {.min = 1, .max = 100})),
        tikhonov_(params.get_float("tikhonov", {.min = 0})) {}

 private:
  Task<Tensor> solve(const ImplicitStep& step, std::vector<double>& residuals) const override {
    Tensor z = step.from;
    Trajectory g, f;  // g(z_k) and g(z_k) - z_k of the iterations since the explicit step
    for (int64_t k = 0; k <= iterations_; ++k) {
      const Tensor eps = co_await step.eps(z);
      const Tensor mapped = step.up(eps);
      residuals.push_back(mean_square(mapped - z));
      g.push_back(mapped);
      f.push_back((mapped - z).flatten().to(at::kDouble));
      z = next(g, f);
      if (std::sqrt(residuals.back()) < tolerance_) break;
    }
    if (acceleration_ == Acceleration::kMean) z = at::stack(g).mean(0);
    co_return z;
  }

  // z_{k+1} from g(z_0..k) and their residuals.
  Tensor next(Trajectory& g, Trajectory& f) const {
    if (acceleration_ == Acceleration::kAveraging && g.size() > 1) return (g[g.size() - 1] + g[g.size() - 2]) / 2;
    if (acceleration_ != Acceleration::kAnderson || g.size() == 1) return g.back();
    if (static_cast<int64_t>(g.size()) > window_) {
      g.erase(g.begin());
      f.erase(f.begin());
    }
    const Tensor alpha = anderson_weights(at::stack(f), tikhonov_).to(g.back().scalar_type());
    return at::tensordot(alpha, at::stack(g), {0}, {0});
  }

  int64_t iterations_;
  double tolerance_;
  Acceleration acceleration_;
  int64_t window_;
  double tikhonov_;
};

const RegisteredMethod<FixedPoint> fixed_point(
    {.name = "fixed_point",
     .summary = "the implicit DDIM step iterated to its fixed point (FPI; AIDI by averaging or Anderson mixing; FTEdit "
                "by the mean)",
     .source = "Meiri et al., Fixed-point Inversion, 2023; Pan et al., AIDI, ICCV 2023; Xu et al., FTEdit, CVPR 2025"});

}  // namespace
}  // namespace roundtrip::inversion
