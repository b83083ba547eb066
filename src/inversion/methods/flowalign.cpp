// FlowAlign: FlowEdit with guidance away from the source prompt, and a term that holds the edit to the image.
//
//   q = (1 - p_i) x_0 + p_i n,   p = q + (x - x_0)
//   v_p = v(p, c_source) + w (v(p, c_target) - v(p, c_source)),   v_q = v(q, c_source)
//   x <- x + h (v_p - v_q) + zeta [(q - p_i v_q) - (p - p_i v_p)]
// from x = x_0: the bracket is the difference between the clean images that the two predict. Kim, Hong, Park & Ye,
// "FlowAlign: Trajectory-Regularized, Inversion-Free Flow-based Image Editing", 2025 (arXiv 2505.23145). Three rows a
// step, none of them guided against the null prompt. The paper walks 33 of 50 steps; the released code walks all of
// them whatever its n_start says, which is the default here (`n_max: 0`).
#include "inversion/edit_only_method.h"

namespace roundtrip::inversion {
namespace {

class FlowAlign : public EditOnlyMethod {
 public:
  explicit FlowAlign(const config::Params& params)
      : zeta(params.get_float("zeta", {.min = 0})), n_max_(params.get_int("n_max", {.min = 0})) {}

  Task<Trajectory> sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const override {
    const Guided source(run, {run.source, run.null}, 1), target(run, {guidance.conditioning, run.null}, 1);
    const double w = run.w();
    const Tensor x0 = inversion.pivots.front();
    Trajectory path{x0};
    for (int i = run.grid.steps(); i >= 1; --i) {
      if (n_max_ > 0 && i > n_max_) {
        path.push_back(x0);
        continue;
      }
      const Tensor x = path.back(), q = noisings(run, x0, i)[0], p = q + (x - x0);
      std::vector<Question> questions;
      questions.emplace_back(source, q, i);
      questions.emplace_back(source, p, i);
      questions.emplace_back(target, p, i);
      const std::vector<Tensor> v = co_await ask_together(run, std::move(questions));
      const Tensor &v_q = v[0], v_p = v[1] + w * (v[2] - v[1]);
      const double sigma = run.grid[i].p;
      const Tensor hold = (q - sigma * v_q) - (p - sigma * v_p);
      path.push_back(at::add(run.grid.step(x, v_p - v_q, i, i - 1), hold, zeta));
    }
    co_return path;
  }

 private:
  double zeta;  // the paper's letter
  int64_t n_max_;
};

const RegisteredMethod<FlowAlign> flowalign(
    {.name = "flowalign",
     .summary = "flows: no inversion; FlowEdit guided away from the source prompt, and held to the image",
     .source = "Kim et al., FlowAlign, 2025 (arXiv 2505.23145)",
     .converges = false,
     .only_for = diffusion::Out::kVelocity});

}  // namespace
}  // namespace roundtrip::inversion
