// Guided Newton-Raphson inversion: Newton steps on a scalar that is zero where DDIM's implicit step holds.
//
//   F(z) = |z - g(z)|_1 + lambda |z - mu|_2 / beta
//   mu = r x_{i-1},   beta = s_i^2 - r^2 s_{i-1}^2,   r = a_i / a_{i-1}:   mean and variance of the forward process, on
//   diffusion models beta = 1 - alpha_bar_i / alpha_bar_{i-1}
//   z <- z - F(z) / (D (dF/dz + eta)), elementwise, D the number of elements, from z = x_{i-1}
// Samuel et al., "Lightning-Fast Image Inversion and Editing for Text-to-Image Diffusion Models" (GNRI), ICLR 2025, as
// published: dF/dz goes through the network. eta is not published; here it takes the derivative's sign, so that it
// never cancels one. `returns: g` answers, as the released code does, with g(z) of the iterate whose residual is least:
// closer wherever g contracts, and as cheap. The prior moves every step, however small the step is, so the round trip
// does not converge with S.
//
// `form: released` is what the released code computes: it stops the gradient at the network, so that only z itself is
// differentiated, and its prior is the log-likelihood of g(z) under the noising of the image:
//   F(z) = mean (|z - g(z)| + lambda / 2 ((g(z) - a_i x_0) / s_i)^2),   z <- z + F(z) sign(g(z) - z)
// Every element moves by the same amount, and g(z) of the iterate with the least F is the answer: a fixed-point
// iteration with a nudge, without backward passes. Where z = g(z) exactly the code divides by 0; here z stays. eta and
// returns are not read.
#include <algorithm>
#include <cmath>
#include <limits>

#include "inversion/implicit_method.h"

namespace roundtrip::inversion {
namespace {

class Newton : public ImplicitMethod {
 public:
  explicit Newton(const config::Params& params)
      : iterations_(params.get_int("iterations", {.min = 1, .max = 100000})),
        lambda_(params.get_float("lambda", {.min = 0})),
        eta_(params.get_float("eta", {.min = 1e-12})),
        returns_g_(params.get_string("returns", {"z", "g"}) == "g"),
        as_released_(params.get_string("form", {"paper", "released"}) == "released") {}

 private:
  Task<Tensor> solve(const ImplicitStep& step, std::vector<double>& residuals) const override {
    Task<Tensor> solving = as_released_ ? released(step, residuals) : published(step, residuals);
    co_return co_await solving;
  }

  Task<Tensor> released(const ImplicitStep& step, std::vector<double>& residuals) const {
    const diffusion::Level& to = step.run.grid[step.i];
    Tensor z = step.from, best;
    double least = std::numeric_limits<double>::infinity();
    for (int64_t k = 0; k < iterations_; ++k) {
      const Tensor eps = co_await step.eps(z);
      const Tensor g = step.up(eps), miss = g - z;
      const double prior = mean_square(g - to.a * step.x0) / (to.s * to.s);
      const double F = miss.abs().mean().item<double>() + lambda_ / 2 * prior;
      residuals.push_back(mean_square(miss));
      if (F < least || !best.defined()) best = g;
      least = std::min(least, F);
      z = at::add(z, miss.sign(), F);
    }
    co_return best;
  }

  Task<Tensor> published(const ImplicitStep& step, std::vector<double>& residuals) const {
    const diffusion::Level &from = step.run.grid[step.i - 1], &to = step.run.grid[step.i];
    const double shrink = to.a / from.a;
    const double beta = to.s * to.s - shrink * shrink * from.s * from.s;
    const Tensor mu = shrink * step.from;
    Tensor z = step.from, best;
    for (int64_t k = 0; k < iterations_; ++k) {
      Tensor miss;                                                           // z - g(z)
      const Guided::Cotangent d_miss = [&](const Tensor& eps_w) -> Tensor {  // d |miss|_1 / d eps_w
        miss = z - step.up(eps_w);
        return -step.run.grid.out_coefficient(step.i - 1, step.i) * miss.sign();
      };
      const Tensor through_eps = co_await step.eps_w.gradient(z, step.i, d_miss);
      const double residual = mean_square(miss);
      if (residuals.empty() || residual < *std::ranges::min_element(residuals)) best = z - miss;
      residuals.push_back(residual);

      const Tensor to_mean = z - mu;
      const Tensor distance = to_mean.norm().clamp_min(1e-12);
      const Tensor F = miss.abs().sum() + lambda_ / beta * distance;
      const Tensor dF = miss.sign() + through_eps + lambda_ / beta * to_mean / distance;
      const Tensor damped = dF + at::where(dF < 0, -eta_, eta_);
      z = z - F / (static_cast<double>(z.numel()) * damped);
    }
    co_return returns_g_ ? best : z;
  }

  int64_t iterations_;
  double lambda_, eta_;
  bool returns_g_, as_released_;
};

const RegisteredMethod<Newton> newton(
    {.name = "newton",
     .summary = "Newton-Raphson steps, with gradients through the network, on the implicit DDIM step (GNRI)",
     .source = "Samuel et al., Lightning-Fast Image Inversion and Editing, ICLR 2025",
     .converges = false});

}  // namespace
}  // namespace roundtrip::inversion
