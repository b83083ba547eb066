// Editable noise map inversion: each latent is refined until both prompts lead it nearly the same way.
//
//   L(z) = |x_{i-1} - f(z, source)|^2 + lambda |f(z, source) - f(z, target)|^2
//   where f(z, c) = PHI(z; i -> i-1, eps_w(z, tau_i, c))
//   z <- z - learning_rate dL/dz     from the explicit step, until L/D < threshold, D the number of elements
//
// Kang & Choi, "Editable Noise Map Inversion: Encoding Target-image into Noise For High-Fidelity Image Manipulation",
// ICML 2025 (arXiv 2509.25776), algorithm 1. The gradient flows through the network, under both prompts. The paper
// gives lambda; no code is published, and no values of the number of refinements, the learning rate and the threshold
// are known. The inversion reads the target prompt, so edits of one image do not share it. A reconstruction has no
// target prompt: the second term is then absent, and what is left is DDIM's implicit step solved by descent.
#include "inversion/method.h"

namespace roundtrip::inversion {
namespace {

// The refinement of the latent at grid index i.
struct Refinement {
  const Problem& run;
  int i;
  Tensor from;    // x_{i-1}
  double lambda;  // 0 without a target prompt
  CfgPair source;
  std::optional<CfgPair> target;

  struct Pull {
    double loss = 0;
    Tensor gradient;
  };
  Task<Pull> operator()(Tensor z) const {
    const double w = run.invert_w(), keep = run.grid[i - 1].c / run.grid[i].c,
                 by_eps = run.grid.out_coefficient(i, i - 1);
    const diffusion::CfgRows source_rows = diffusion::cfg_rows(source, w);
    std::vector<engine::Row> rows = rows_of(source, source_rows, z, run.grid[i].t);
    const auto border = static_cast<int64_t>(rows.size());
    diffusion::CfgRows target_rows{};
    if (target) {
      target_rows = diffusion::cfg_rows(*target, w);
      for (engine::Row& row : rows_of(*target, target_rows, z, run.grid[i].t)) rows.push_back(std::move(row));
    }
    Pull pull;
    const engine::Cotangent cotangent = [&](const std::vector<Tensor>& out) {
      const Tensor f_source = lead(z, {out.begin(), out.begin() + border}, source_rows, w);
      const Tensor miss = f_source - from;
      Tensor d_source = 2 * miss, d_target;  // d L / d f
      pull.loss = mean_square(miss);
      pull.gradient = 2 * keep * miss;  // of f's own z; the second term has none
      if (target) {
        const Tensor gap = f_source - lead(z, {out.begin() + border, out.end()}, target_rows, w);
        pull.loss += lambda * mean_square(gap);
        d_source = d_source + 2 * lambda * gap;
        d_target = -2 * lambda * gap;
      }
      std::vector<Tensor> by_row = split(d_source * by_eps, source_rows, w);
      if (!target) return by_row;
      for (Tensor& one : split(d_target * by_eps, target_rows, w)) by_row.push_back(std::move(one));
      return by_row;
    };
    const engine::OutAndGradient answer = co_await run.network.out_vjp(std::move(rows), z, cotangent);
    pull.gradient = pull.gradient + answer.gradient();
    co_return pull;
  }

 private:
  Tensor lead(const Tensor& z, const std::vector<Tensor>& out, diffusion::CfgRows rows, double w) const {
    return run.grid.step(z, diffusion::cfg(cfg_out(out, rows), w), i, i - 1);
  }
  // d L / d eps_w as each row's share of it.
  static std::vector<Tensor> split(const Tensor& d_eps_w, diffusion::CfgRows rows, double w) {
    if (rows != diffusion::CfgRows::kBoth) return {d_eps_w};
    return {w * d_eps_w, (1 - w) * d_eps_w};
  }
};

class EditableNoiseMap : public Method {
 public:
  explicit EditableNoiseMap(const config::Params& params)
      : lambda_(params.get_float("lambda", {.min = 0})),
        iterations_(params.get_int("iterations", {.min = 0, .max = 100000})),
        learning_rate_(params.get_float("learning_rate", {.min = 0})),
        threshold_(params.get_float("threshold", {.min = 0})) {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    const Guided eps_w = run.inverting();
    const std::optional<Conditioning> target = lambda_ > 0 ? run.target() : std::nullopt;
    Inversion inversion;
    Trajectory& x = inversion.pivots;
    x = {std::move(x0)};
    Refinement refine{.run = run,
                      .i = 0,
                      .from = {},
                      .lambda = lambda_,
                      .source = run.guided({run.source, run.null}, run.invert_w()),
                      .target = std::nullopt};
    if (target) refine.target = run.guided({*target, run.null}, run.invert_w());
    for (int i = 1; i <= run.grid.steps(); ++i) {
      const Tensor explicit_eps = co_await eps_w(x.back(), i);
      Tensor z = run.grid.step(x.back(), explicit_eps, i - 1, i);
      refine.i = i;
      refine.from = x.back();
      for (int64_t k = 0; k < iterations_; ++k) {
        const Refinement::Pull pulled = co_await refine(z);
        inversion.losses[i].push_back(pulled.loss);
        if (pulled.loss < threshold_) break;
        z = at::sub(z, pulled.gradient, learning_rate_);
      }
      x.push_back(z);
    }
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<Sampler>(run, inversion.pivots.back(), guidance.conditioning);
  }

 private:
  double lambda_;
  int64_t iterations_;
  double learning_rate_, threshold_;
};

const RegisteredMethod<EditableNoiseMap> enm(
    {.name = "enm",
     .summary = "refines each latent until the source and the target prompt lead it nearly alike; inverts once an edit",
     .source = "Kang & Choi, Editable Noise Map Inversion, ICML 2025 (arXiv 2509.25776)",
     .converges = false});

}  // namespace
}  // namespace roundtrip::inversion
