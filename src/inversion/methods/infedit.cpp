// InfEdit: an edit along the consistency walk of the image itself, without an inversion (DDCM, "virtual inversion").
//
//   d = eps_w(x, tau_i, c_target) - eps_w'(x', tau_i, c_source)
//   y_i = x_0 + ((x - x') - s_i d) / a_i                       the edited image as step i predicts it
//   x  <- a_{i-1} y_i + r,   x' <- a_{i-1} x_0 + r,   r = sqrt(1 - eta) s_{i-1} e + sqrt(eta) s_{i-1} n_i
//   e = d + (x' - a_i x_0) / s_i
// from x = x' at the noisiest step; n_i is drawn anew at each step, and y_1 is the result. Xu, Huang, Pan, Ma & Chai,
// "Inversion-Free Image Editing with Natural Language", CVPR 2024 (arXiv 2312.04965), made for latent consistency
// models at 12 to 15 steps. w is guidance_scale, w' is `source_guidance_scale`; a reconstruction has w' on both sides.
// x_0 is taken to be free of noise, whatever the scheduler's clean end is.
//
// The walk that is returned is x_0 and the y_i. `start: noised` and `strength` are the released pipeline's denoising
// mode. The paper's attention control and its third row, which only a mask reads, are not here. A network that is told
// its guidance scale is told w and w'; the released code tells it nothing.
#include <cmath>

#include "inversion/edit_only_method.h"

namespace roundtrip::inversion {
namespace {

class InfEdit : public EditOnlyMethod {
 public:
  explicit InfEdit(const config::Params& params)
      : eta(params.get_float("eta", {.min = 0, .max = 1})),
        source_w_(params.get_float("source_guidance_scale")),
        starts_noised_(params.get_string("start", {"noise", "noised"}) == "noised"),
        strength_(params.get_float("strength", {.min = 0, .max = 1})) {}

  void require(const diffusion::StepGrid& grid) const override { walked(grid.steps()); }

  Task<Trajectory> sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const override {
    const int S = run.grid.steps(), first = walked(S);
    const Guided source(run, {run.source, run.null}, source_w_);
    const Guided target(run, {guidance.conditioning, run.null}, guidance.is_edit ? run.w() : source_w_);
    const Tensor x0 = inversion.pivots.front();
    Trajectory path(S - first + 1, x0);
    const Tensor n = run.noise(NoisePurpose::kForward, first, x0);
    Tensor x_s = starts_noised_ ? diffusion::marginal(x0, n, run.grid[first]) : n, x_t = x_s;
    for (int i = first; i >= 1; --i) {
      const diffusion::Level &from = run.grid[i], &to = run.grid[i - 1];
      std::vector<Question> questions;
      questions.emplace_back(target, x_t, i);
      questions.emplace_back(source, x_s, i);
      const std::vector<Tensor> eps = co_await ask_together(run, std::move(questions));
      const Tensor d = eps[0] - eps[1];
      const Tensor y = x0 + (x_t - x_s - from.s * d) / from.a;
      path.push_back(y);
      if (i == 1) break;
      Tensor r = std::sqrt(eta) * to.s * run.noise(NoisePurpose::kSampling, i, x0);
      if (eta < 1) r = at::add(r, d + (x_s - from.a * x0) / from.s, std::sqrt(1 - eta) * to.s);
      x_t = to.a * y + r;
      x_s = to.a * x0 + r;
    }
    co_return path;
  }

 private:
  // The number of steps that are walked, those next to the clean end.
  int walked(int S) const {
    const int steps = static_cast<int>(S * strength_);
    if (steps > 0) return steps;
    throw Error(ErrorKind::kType,
                fmt::format("method.strength: found {:g}, which leaves out every one of {} steps; expected {:.3g} or "
                            "more",
                            strength_, S, 1.0 / S));
  }

  double eta;  // the paper's letter
  double source_w_;
  bool starts_noised_;
  double strength_;
};

const RegisteredMethod<InfEdit> infedit(
    {.name = "infedit",
     .summary = "no inversion; an edit walks the consistency models' way along the image itself (DDCM)",
     .source = "Xu et al., Inversion-Free Image Editing with Natural Language, CVPR 2024 (arXiv 2312.04965)",
     .converges = false,
     .only_for = diffusion::Out::kEps});

}  // namespace
}  // namespace roundtrip::inversion
