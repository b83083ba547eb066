// EDICT: two coupled latents, each moved by the other's eps, so that every step can be undone.
//
// A sampling step from tau_i:            x <- PHI(x; i -> i-1, eps_w(y, tau_i))
//                                        y <- PHI(y; i -> i-1, eps_w(x, tau_i))
//   then mixing by p:                    x <- p x + (1 - p) y,   y <- p y + (1 - p) x
// Inverting undoes the lines in reverse order, all at the same tau_i. Wallace, Gokul & Naik, "EDICT: Exact Diffusion
// Inversion via Coupled Transformations", CVPR 2023. `leapfrog` exchanges x and y at every other step, as its code
// does. Undoing the mixing magnifies x - y by 1/p^2 a step: p well below 0.9 is unstable. eps_at and eta are not read.
#include "diffusion/transfer.h"
#include "inversion/two_step_method.h"

namespace roundtrip::inversion {
namespace {

using diffusion::transfer;

constexpr const char* kSecond = "second_latent";  // y_S

class Edict : public Method {
 public:
  explicit Edict(const config::Params& params)
      : p_(params.get_float("p", {.min = 1e-3, .max = 1})), leapfrog_(params.get_bool("leapfrog")) {}

  Task<Inversion> invert(const Problem& p, Tensor x0) const override {
    Inversion inversion;
    inversion.pivots = {x0};
    Tensor x = x0, y = x0;
    for (int i = 1; i <= p.grid.steps(); ++i) {
      const double from = p.grid.alpha_bar(i - 1), to = p.grid.alpha_bar(i);
      if (exchanges(p, i)) std::swap(x, y);
      y = (y - (1 - p_) * x) / p_;
      x = (x - (1 - p_) * y) / p_;
      const Tensor eps_x = co_await guided(p, x, p.grid.time(i), p.source, p.null, p.invert_w);
      y = transfer(y, eps_x, from, to);
      const Tensor eps_y = co_await guided(p, y, p.grid.time(i), p.source, p.null, p.invert_w);
      x = transfer(x, eps_y, from, to);
      if (exchanges(p, i)) std::swap(x, y);
      inversion.pivots.push_back(x);
    }
    inversion.state[kSecond] = y;
    note_if_unstable(inversion);
    co_return inversion;
  }

  Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                          const Conditioning& conditioning) const override {
    Tensor x = inversion.pivots.back(), y = inversion.state.at(kSecond);
    Trajectory path{x};
    for (int i = p.grid.steps(); i >= 1; --i) {
      const double from = p.grid.alpha_bar(i), to = p.grid.alpha_bar(i - 1);
      if (exchanges(p, i)) std::swap(x, y);
      const Tensor eps_y = co_await guided(p, y, p.grid.time(i), conditioning, p.null, p.w);
      x = transfer(x, eps_y, from, to);
      const Tensor eps_x = co_await guided(p, x, p.grid.time(i), conditioning, p.null, p.w);
      y = transfer(y, eps_x, from, to);
      x = p_ * x + (1 - p_) * y;
      y = p_ * y + (1 - p_) * x;
      if (exchanges(p, i)) std::swap(x, y);
      path.push_back(x);
    }
    co_return path;
  }

  Reads invert_reads() const override { return {.invert_w = true}; }
  Reads sample_reads(double) const override { return {.w = true}; }
  Evaluations invert_evaluations(const Ask& ask) const override {
    return {.forward = guided_rows(2 * ask.steps, ask.invert_w, ask.null_source)};
  }
  Evaluations sample_evaluations(const Ask& ask) const override {
    return {.forward = guided_rows(2 * ask.steps, ask.w, ask.null_sampled)};
  }
  double default_invert_w(double w) const override { return w; }  // the inverse of what will be sampled

 private:
  // Of the S steps down, counted from 0 at the noisiest, the odd ones.
  bool exchanges(const Problem& p, int i) const { return leapfrog_ && (p.grid.steps() - i) % 2 == 1; }

  double p_;
  bool leapfrog_;
};

const MethodRegistration registration(
    {.name = "edict",
     .summary = "exact: two coupled latents, each moved by the other's eps; keeps both",
     .source = "Wallace et al., EDICT, CVPR 2023"},
    [](const config::Params& params) -> std::unique_ptr<Method> { return std::make_unique<Edict>(params); });

}  // namespace
}  // namespace roundtrip::inversion
