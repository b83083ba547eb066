// FlowEdit: an edit as the ODE of the difference between the velocities under the two prompts, without an inversion.
//
//   zs = (1 - p_i) x_0 + p_i n,   zt = zs + (z - x_0)
//   z <- z + h mean_n [v_w(zt, tau_i, c_target) - v_w'(zs, tau_i, c_source)]
// from z = x_0, for the grid indices n_min < i <= n_max; then zt of one more n is sampled under the target prompt
// alone. Kulikov, Kleiner, Huberman-Spiegelglas & Michaeli, "FlowEdit: Inversion-Free Text-Based Editing Using
// Pre-Trained Flow Models", ICCV 2025 (arXiv 2412.08629). n is drawn anew at each step, n_avg times. w is
// guidance_scale, w' is `source_guidance_scale`; a reconstruction has w' on both sides, and so stays at x_0 down to
// n_min.
#include "inversion/edit_only_method.h"

namespace roundtrip::inversion {
namespace {

class FlowEdit : public EditOnlyMethod {
 public:
  explicit FlowEdit(const config::Params& params)
      : n_max_(params.get_int("n_max", {.min = 1})),
        n_min_(params.get_int("n_min", {.min = 0})),
        n_avg_(params.get_int("n_avg", {.min = 1, .max = 1000})),
        source_w_(params.get_float("source_guidance_scale")) {}

  Task<Trajectory> sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const override {
    const Guided source(run, {run.source, run.null}, source_w_);
    const Guided target(run, {guidance.conditioning, run.null}, guidance.is_edit ? run.w() : source_w_);
    const Tensor x0 = inversion.pivots.front();
    Tensor z = x0, zt;  // zt once the target is sampled alone
    Trajectory path{x0};
    for (int i = run.grid.steps(); i >= 1; --i) {
      if (i > n_max_) {
        path.push_back(x0);
      } else if (i > n_min_) {
        const Tensor zs = noisings(run, x0, i, n_avg_);
        std::vector<Question> questions;
        for (int64_t n = 0; n < n_avg_; ++n) {
          questions.emplace_back(target, zs[n] + (z - x0), i);
          questions.emplace_back(source, zs[n], i);
        }
        const std::vector<Tensor> v = co_await ask_together(run, std::move(questions));
        Tensor difference = at::zeros_like(z);
        for (size_t n = 0; n < v.size(); n += 2) difference = difference + (v[n] - v[n + 1]);
        z = run.grid.step(z, difference / static_cast<double>(n_avg_), i, i - 1);
        path.push_back(z);
      } else {
        if (!zt.defined()) zt = noisings(run, x0, i)[0] + (z - x0);
        const Tensor v = co_await target(zt, i);
        zt = run.grid.step(zt, v, i, i - 1);
        path.push_back(zt);
      }
    }
    co_return path;
  }

 private:
  int64_t n_max_, n_min_, n_avg_;
  double source_w_;
};

const RegisteredMethod<FlowEdit> flowedit(
    {.name = "flowedit",
     .summary = "flows: no inversion; an edit walks the difference of the velocities under the two prompts",
     .source = "Kulikov et al., FlowEdit, ICCV 2025",
     .converges = false,
     .only_for = diffusion::Out::kVelocity});

}  // namespace
}  // namespace roundtrip::inversion
