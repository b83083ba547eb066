// Guided Newton-Raphson inversion: Newton steps on a scalar that is zero where DDIM's implicit step holds.
//
//   F(z) = |z - g(z)|_1 + lambda |z - mu|_2 / beta,   mu = sqrt(1 - beta) x_{i-1},  beta = 1 -
//   alpha_bar_i/alpha_bar_{i-1} z <- z - F(z) / (D (dF/dz + eta)), elementwise, D the number of elements, from z =
//   x_{i-1}
// Samuel et al., "Lightning-Fast Image Inversion and Editing for Text-to-Image Diffusion Models" (GNRI), ICLR 2025, as
// published: dF/dz goes through the network; its released code stops the gradient there, which is not this method. eta
// is not published; here it takes the derivative's sign, so that it never cancels one. `returns: g` answers, as the
// released code does, with g(z) of the iterate whose residual is least: closer wherever g contracts, and as cheap.
#include <algorithm>
#include <cmath>

#include "diffusion/guidance.h"
#include "diffusion/transfer.h"
#include "inversion/implicit_method.h"

namespace roundtrip::inversion {
namespace {

using diffusion::Branches;

class Newton : public ImplicitMethod {
 public:
  explicit Newton(const config::Params& params)
      : iterations_(params.get_int("iterations", {.min = 1, .max = 100000})),
        lambda_(params.get_float("lambda", {.min = 0})),
        eta_(params.get_float("eta", {.min = 1e-12})),
        returns_g_(params.get_string("returns", {"z", "g"}) == "g") {}

  Evaluations invert_evaluations(const Ask& ask) const override {
    const int64_t rows = guided_rows(ask.steps * iterations_, ask.invert_w, ask.null_source);
    return {.forward = rows, .backward = rows};
  }

 private:
  Task<Tensor> solve(const ImplicitStep& step, std::vector<double>& residuals) const override {
    const Problem& p = step.p;
    const double from = p.grid.alpha_bar(step.i - 1), to = p.grid.alpha_bar(step.i), w = p.invert_w;
    const double beta = 1 - to / from;
    const Tensor mu = std::sqrt(1 - beta) * step.from;
    const Branches branches = diffusion::branches(p.source, p.null, w);
    const bool both = branches == Branches::kBoth;
    Tensor z = step.from, best;
    for (int64_t k = 0; k < iterations_; ++k) {
      Tensor miss;  // z - g(z)
      const engine::Cotangent cotangent = [&](const std::vector<Tensor>& eps) {
        miss = z - step.up(both ? diffusion::guide(eps[0], eps[1], w) : eps[0]);
        const Tensor d_eps = -diffusion::eps_coefficient(from, to) * miss.sign();  // d |miss|_1 / d eps_w
        return both ? std::vector<Tensor>{w * d_eps, (1 - w) * d_eps} : std::vector<Tensor>{d_eps};
      };
      std::vector<engine::Row> rows;
      if (branches != Branches::kUnconditional) rows.emplace_back(z, step.t(), p.source);
      if (branches != Branches::kConditional) rows.emplace_back(z, step.t(), p.null);
      const engine::EpsAndGradient through_eps = co_await p.network.eps_vjp(std::move(rows), z, cotangent);
      const double residual = mean_square(miss);
      if (residuals.empty() || residual < *std::ranges::min_element(residuals)) best = z - miss;
      residuals.push_back(residual);

      const Tensor to_mean = z - mu;
      const Tensor distance = to_mean.norm().clamp_min(1e-12);
      const Tensor F = miss.abs().sum() + lambda_ / beta * distance;
      const Tensor dF = miss.sign() + through_eps.gradient + lambda_ / beta * to_mean / distance;
      const Tensor damped = dF + at::where(dF < 0, -eta_, eta_);
      z = z - F / (static_cast<double>(z.numel()) * damped);
    }
    co_return returns_g_ ? best : z;
  }

  int64_t iterations_;
  double lambda_, eta_;
  bool returns_g_;
};

const MethodRegistration registration(
    {.name = "newton",
     .summary = "Newton-Raphson steps, with gradients through the network, on the implicit DDIM step (GNRI)",
     .source = "Samuel et al., Lightning-Fast Image Inversion and Editing, ICLR 2025",
     .converges = false},  // the prior moves every step, however small the step is
    [](const config::Params& params) -> std::unique_ptr<Method> { return std::make_unique<Newton>(params); });

}  // namespace
}  // namespace roundtrip::inversion
