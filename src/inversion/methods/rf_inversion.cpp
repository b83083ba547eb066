// RF-Inversion: a flow's ODE pulled towards a drawn noise on the way up, and towards the image on the way back.
//
//   inverting   x <- x + h [v + gamma (u - v)],   u = (y_1 - x) / (1 - p),   y_1 ~ N(0, 1)
//   sampling    x <- x + h [v + eta_k (u - v)],   u = (x - y_0) / p,         y_0 the image, k = 0 at the noisiest step
//   eta_k = eta (1 - k/S)^decay_power for int(start_at S) <= k < int(stop_at S), else 0
// Rout et al., "Semantic Image Inversion and Editing using Rectified Stochastic Differential Equations", ICLR 2025
// (arXiv 2410.10792). It inverts without a prompt: w = 0, which here is the null prompt on any model. eps_at is not
// read: v is asked at the level that a step starts from.
//
// `times: released` is the inversion of the published code, which tells the network a time i/(S+1), even if the grid is
// shifted, and takes the lengths of the descending grid, the one next to the noise first. The latent is then at another
// level than the network is told. With eta above 0 the way back is told the image, so its reconstruction does not test
// the inversion. The paper's stochastic sampler is not here.
#include <algorithm>
#include <cmath>

#include "inversion/method.h"

namespace roundtrip::inversion {
namespace {

constexpr const char* kToldTheImage =
    "the way back is pulled to the image (method.eta above 0), so its reconstruction does not test the inversion";

struct Pull {
  double eta, start_at, stop_at, decay_power;

  // eta_k of the step from grid index i of S.
  double at(int i, int S) const {
    const int k = S - i;
    if (k < static_cast<int>(start_at * S) || k >= std::min(static_cast<int>(stop_at * S), S)) return 0;
    return eta * std::pow(1 - static_cast<double>(k) / S, decay_power);
  }
};

class PulledSampler : public Sampler {
 public:
  PulledSampler(const Problem& run, const Inversion& inversion, const Conditioning& conditioning, Pull pull)
      : Sampler(run, inversion.pivots.back(), conditioning), y_0_(inversion.pivots.front()), pull_(pull) {}

  Tensor step(const Tensor& x, const diffusion::CfgOut& out, int i) const override {
    const Tensor v = diffusion::cfg(out, w()), u = (x - y_0_) / run.grid[i].p;
    return run.grid.step(x, at::lerp(v, u, pull_.at(i, run.grid.steps())), i, i - 1);
  }

 private:
  Tensor y_0_;
  Pull pull_;
};

class RfInversion : public Method {
 public:
  explicit RfInversion(const config::Params& params)
      : gamma_(params.get_float("gamma", {.min = 0, .max = 1})),
        released_(params.get_string("times", {"grid", "released"}) == "released"),
        pull_{.eta = params.get_float("eta", {.min = 0, .max = 1}),
              .start_at = params.get_float("start_at", {.min = 0, .max = 1}),
              .stop_at = params.get_float("stop_at", {.min = 0, .max = 1}),
              .decay_power = params.get_float("decay_power", {.min = 0})} {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    const int S = run.grid.steps();
    // Networks that are told w, as FLUX is, take the null prompt's row only if it is named.
    const Conditioning prompt = run.invert_w() == 0 ? run.null : run.source;
    const Guided v_w(run, {prompt, run.null}, run.invert_w());
    Tensor y_1;
    if (gamma_ > 0) y_1 = run.noise(NoisePurpose::kForward, S, x0);
    Inversion inversion;
    Trajectory& x = inversion.pivots;
    x = {std::move(x0)};
    for (int i = 0; i < S; ++i) {
      const double told = released_ ? static_cast<double>(i) / (S + 1) : run.grid[i].p;
      const double h = released_ ? run.grid[S - i].p - run.grid[S - i - 1].p : run.grid[i + 1].p - run.grid[i].p;
      Tensor v = co_await v_w.at_time(x[i], released_ ? run.grid.time_at(told) : run.grid[i].t);
      if (gamma_ > 0) v = at::lerp(v, (y_1 - x[i]) / (1 - told), gamma_);
      x.push_back(at::add(x[i], v, h));
    }
    for (int i = S; i >= 1; --i) {
      if (pull_.at(i, S) == 0) continue;
      inversion.notes.emplace_back(kToldTheImage);
      break;
    }
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<PulledSampler>(run, inversion, guidance.conditioning, pull_);
  }

  double default_invert_w(double) const override { return 0; }  // the published inversion has no prompt

 private:
  double gamma_;
  bool released_;
  Pull pull_;
};

const RegisteredMethod<RfInversion> rf_inversion(
    {.name = "rf_inversion",
     .summary = "flows: the ODE pulled to a drawn noise on the way up, and to the image on the way back",
     .source = "Rout et al., Semantic Image Inversion and Editing using Rectified SDEs, ICLR 2025",
     .converges = false,
     .only_for = diffusion::Out::kVelocity});

}  // namespace
}  // namespace roundtrip::inversion
