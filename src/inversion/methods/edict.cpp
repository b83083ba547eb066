// EDICT: two coupled latents, each moved by the other's eps, so that every step can be undone.
//
// A sampling step from tau_i:            x <- PHI(x; i -> i-1, eps_w(y, tau_i))
//                                        y <- PHI(y; i -> i-1, eps_w(x, tau_i))
//   then mixing by p:                    x <- p x + (1 - p) y,   y <- p y + (1 - p) x
// Inverting undoes the lines in reverse order, all at the same tau_i. Wallace, Gokul & Naik, "EDICT: Exact Diffusion
// Inversion via Coupled Transformations", CVPR 2023. `leapfrog` exchanges x and y at every other step, as its code
// does. Undoing the mixing magnifies x - y by 1/p^2 a step: p well below 0.9 is unstable. eps_at and eta are not read.
#include "inversion/method.h"

namespace roundtrip::inversion {
namespace {

constexpr const char* kSecond = "second_latent";  // y_S

class Edict : public Method {
 public:
  explicit Edict(const config::Params& params)
      : p(params.get_float("p", {.min = 1e-3, .max = 1})), leapfrog_(params.get_bool("leapfrog")) {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    const Guided eps_w = run.inverting();
    Inversion inversion;
    inversion.pivots = {x0};
    Tensor x = x0, y = x0;
    for (int i = 1; i <= run.grid.steps(); ++i) {
      if (exchanges(run, i)) std::swap(x, y);
      y = (y - (1 - p) * x) / p;
      x = (x - (1 - p) * y) / p;
      const Tensor eps_x = co_await eps_w(x, i);
      y = run.grid.step(y, eps_x, i - 1, i);
      const Tensor eps_y = co_await eps_w(y, i);
      x = run.grid.step(x, eps_y, i - 1, i);
      if (exchanges(run, i)) std::swap(x, y);
      inversion.pivots.push_back(x);
    }
    inversion.state[kSecond] = y;
    note_if_unstable(inversion);
    co_return inversion;
  }

  Task<Trajectory> sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const override {
    const Guided eps_w = run.sampling(guidance.conditioning);
    Tensor x = inversion.pivots.back(), y = inversion.state.at(kSecond);
    Trajectory path{x};
    for (int i = run.grid.steps(); i >= 1; --i) {
      if (exchanges(run, i)) std::swap(x, y);
      const Tensor eps_y = co_await eps_w(y, i);
      x = run.grid.step(x, eps_y, i, i - 1);
      const Tensor eps_x = co_await eps_w(x, i);
      y = run.grid.step(y, eps_x, i, i - 1);
      x = p * x + (1 - p) * y;
      y = p * y + (1 - p) * x;
      if (exchanges(run, i)) std::swap(x, y);
      path.push_back(x);
    }
    co_return path;
  }

  double default_invert_w(double w) const override { return w; }  // the inverse of what will be sampled

 private:
  // Of the S steps down, counted from 0 at the noisiest, the odd ones.
  bool exchanges(const Problem& run, int i) const { return leapfrog_ && (run.grid.steps() - i) % 2 == 1; }

  double p;  // the paper's letter
  bool leapfrog_;
};

const RegisteredMethod<Edict> edict({.name = "edict",
                                     .summary = "exact: two coupled latents, each moved by the other's eps; keeps both",
                                     .source = "Wallace et al., EDICT, CVPR 2023"});

}  // namespace
}  // namespace roundtrip::inversion
