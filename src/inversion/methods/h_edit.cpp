// h-Edit: an edit of edit-friendly DDPM inversion as a reconstruction step and a step along the difference of prompts.
//
//   b = mu_i(x_i) + sigma_i z_i                                    under the source prompt at w_o: replays the image
//   explicit   x_{i-1} = b + C_i [eps_w(x_i, tau_i, c_target) - eps_w^(x_i, tau_i, c_source)]
//   implicit   x_{i-1} = b + C_i [eps_w(b, tau_{i-1}, c_target) - eps_w^(b, tau_{i-1}, c_source)]
// where C_i is the factor of eps in mu_i. Nguyen, Do, Kieu & Nguyen, "h-Edit: Effective and Flexible Diffusion-Based
// Editing via Doob's h-Transform", CVPR 2025 (arXiv 2503.02187), the random variant h-Edit-R. w is
// guidance_scale, w^ is `source_guidance_scale` and w_o is invert_guidance_scale. Where w^ = w_o the explicit form is
// edit_friendly's edit; where w^ = w and the prompts agree either form replays the image.
//
// The noisings are a_i x_0 + s_i n_i, and the last map is kept, as in the released code. `optimization_steps` repeats
// the implicit step from where it led; from the second on it is pulled back to b by the sign of the distance, scaled by
// `weight_reconstruction` and by the size of the difference of prompts. An edit needs predictions under three prompts
// at one latent, so editors cannot drive it: the released attention control and the deterministic variant h-Edit-D are
// not here.
#include <cmath>

#include "inversion/method.h"
#include "inversion/noise_maps.h"

namespace roundtrip::inversion {
namespace {

double root_mean_square(const Tensor& x) { return std::sqrt(mean_square(x)); }

// Predictions under the prompts of an edit, [C, h, w] each; undefined where no guidance scale needs it.
struct Predictions {
  Tensor target, source, null;

  Tensor of_target(double w) const { return diffusion::cfg({target, null}, w); }
  Tensor of_source(double w) const { return diffusion::cfg({source, null}, w); }
};

// Asks at one latent for the rows that the scales need, each of them once.
class Prompts {
 public:
  Prompts(const Problem& run, const Conditioning& target) : run_(run), target_(target) {}

  // w of the target prompt, if it is asked for, and those of the source prompt.
  Task<Predictions> ask(Tensor x, int i, std::optional<double> target_w, std::vector<double> source_ws) const {
    bool target = target_w && *target_w != 0, source = false, null = target_w && *target_w != 1;
    for (const double w : source_ws) {
      source = source || w != 0;
      null = null || w != 1;
    }
    const bool null_target = same_conditioning(target_, run_.null), null_source = is_null(run_.source);
    std::vector<engine::Row> rows;
    if (target && !null_target) rows.emplace_back(x, run_.grid[i].t, target_);
    if (source && !null_source) rows.emplace_back(x, run_.grid[i].t, run_.source);
    if (null || (target && null_target) || (source && null_source)) rows.emplace_back(x, run_.grid[i].t, run_.null);
    const engine::Answer answer = co_await run_.network.out(std::move(rows));
    Predictions eps;
    size_t row = 0;
    if (target && !null_target) eps.target = answer.out[row++];
    if (source && !null_source) eps.source = answer.out[row++];
    if (row < answer.out.size()) eps.null = answer.out[row];
    if (null_target) eps.target = eps.null;
    if (null_source) eps.source = eps.null;
    co_return eps;
  }

 private:
  bool is_null(const Conditioning& prompt) const { return same_conditioning(prompt, run_.null); }

  const Problem& run_;
  Conditioning target_;
};

class HEdit : public Method {
 public:
  explicit HEdit(const config::Params& params)
      : source_w_(params.get_float("source_guidance_scale")),
        implicit_(params.get_string("form", {"explicit", "implicit"}) == "implicit"),
        optimization_steps_(params.get_int("optimization_steps", {.min = 1, .max = 1000})),
        weight_reconstruction_(params.get_float("weight_reconstruction", {.min = 0})) {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    Inversion inversion;
    Trajectory& x = inversion.pivots;
    x = {x0};
    for (int i = 1; i <= run.grid.steps(); ++i) {
      x.push_back(diffusion::marginal(x0, run.noise(NoisePurpose::kForward, i, x0), run.grid[i]));
    }
    Task<Tensor> maps = noise_maps(run, x, run.grid.steps(), ddpm_mean(run.grid), /*keeps_last=*/true);
    inversion.state[kNoiseMaps] = co_await maps;
    co_return inversion;
  }

  Task<Trajectory> sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const override {
    const int S = run.grid.steps();
    const Prompts prompts(run, guidance.conditioning);
    const Tensor maps = inversion.state.at(kNoiseMaps);
    const double base_w = run.invert_w();
    const bool is_explicit = guidance.is_edit && !implicit_;
    std::optional<double> target_w;
    if (guidance.is_edit) target_w = run.w();
    Trajectory path{inversion.pivots.back()};
    for (int i = S; i >= 1; --i) {
      const Tensor x = path.back();
      const double sigma = run.grid.sigma(1, i, i - 1), C = run.grid.out_coefficient(i, i - 1, sigma);
      std::vector<double> source_ws{base_w};
      if (is_explicit) source_ws.push_back(source_w_);
      Task<Predictions> asking = prompts.ask(x, i, is_explicit ? target_w : std::nullopt, std::move(source_ws));
      const Predictions eps = co_await asking;
      const Tensor mu = run.grid.step(x, eps.of_source(base_w), i, i - 1, sigma);
      const Tensor base = at::add(mu, maps[S - i], sigma);
      Tensor y = base;
      if (is_explicit) y = at::add(base, difference(eps, *target_w), C);
      for (int64_t k = 0; guidance.is_edit && implicit_ && k < optimization_steps_; ++k) {
        std::vector<double> hat{source_w_};
        Task<Predictions> asking_there = prompts.ask(y, i - 1, target_w, std::move(hat));
        const Predictions there = co_await asking_there;
        const Tensor d = difference(there, *target_w);
        if (k > 0) y = pulled(y, base, d);
        y = at::add(y, d, C);
      }
      path.push_back(y);
    }
    co_return path;
  }

 private:
  Tensor difference(const Predictions& eps, double target_w) const {
    return eps.of_target(target_w) - eps.of_source(source_w_);
  }

  // A step of gradient descent on mean |y - base|, as long as weight_reconstruction times d.
  Tensor pulled(const Tensor& y, const Tensor& base, const Tensor& d) const {
    constexpr double kLeast = 1e-8;
    const Tensor gradient = (y - base).sign() / static_cast<double>(y.numel());
    return at::sub(y, gradient, weight_reconstruction_ * root_mean_square(d) / (root_mean_square(gradient) + kLeast));
  }

  double source_w_;
  bool implicit_;
  int64_t optimization_steps_;
  double weight_reconstruction_;
};

const RegisteredMethod<HEdit> h_edit(
    {.name = "h_edit",
     .summary = "edit_friendly whose edit is a replay of the image and a step along the difference of the prompts",
     .source = "Nguyen et al., h-Edit, CVPR 2025 (arXiv 2503.02187)",
     .needs_cfg = true,
     .converges = false,
     .only_for = diffusion::Out::kEps});

}  // namespace
}  // namespace roundtrip::inversion
