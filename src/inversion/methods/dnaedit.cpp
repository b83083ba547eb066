// DNAEdit: a drawn noise aligned with the image on the way up, and an edit by the difference of the velocities.
//
//   up       x^ = x + h (n - x) / (1 - p_{i-1}),   v_i = v_w(x^, tau_i),   x <- x + h v_i,   n <- x + (1 - p_i) v_i
//   back     v = v_w(z + (x^_i - x_i), tau_i, c_target),   y <- y + h (v - v_i),   y = x_0 at first
//            z <- z + h [mvg v + (1 - mvg) (z - y) / p_i]
// from n ~ N(0, 1), up to grid index `upto` and back from there. Xie et al., "DNAEdit: Direct Noise Alignment for
// Text-Guided Rectified Flow Editing", NeurIPS 2025 (arXiv 2506.01430). The paper starts the edit T_start steps after
// the noise: upto = S - T_start. Where the n of the first step is x_0 + v_w(x_0, 0) the way up is Uni-Inv's. eps_at is
// not read. A reconstruction is the edit under the source prompt.
#include <algorithm>

#include "inversion/method.h"

namespace roundtrip::inversion {
namespace {

constexpr const char* kVelocities = "velocities";  // v_i [upto, C, h, w], the cleanest first
constexpr const char* kOffsets = "offsets";        // x^_i - x_i, likewise

class DnaEdit : public Method {
 public:
  explicit DnaEdit(const config::Params& params)
      : upto_(params.get_int("upto", {.min = 1})), mvg_(params.get_float("mvg", {.min = 0, .max = 1})) {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    const int S = run.grid.steps();
    const Guided v_w = run.inverting();
    Tensor x = x0, n = run.noise(NoisePurpose::kForward, S, x0);
    Inversion inversion;
    inversion.pivots = {std::move(x0)};
    std::vector<Tensor> velocities, offsets;
    for (int i = 1; i <= last(S); ++i) {
      const double from = run.grid[i - 1].p, to = run.grid[i].p;
      const Tensor aligned = at::add(x, n - x, (to - from) / (1 - from));
      const Tensor v = co_await v_w(aligned, i);
      x = run.grid.step(x, v, i - 1, i);
      n = at::add(x, v, 1 - to);
      velocities.push_back(v);
      offsets.push_back(aligned - x);
      inversion.pivots.push_back(x);
    }
    inversion.pivots.resize(S + 1, x);  // where the way back starts
    inversion.state[kVelocities] = at::stack(velocities);
    inversion.state[kOffsets] = at::stack(offsets);
    co_return inversion;
  }

  Task<Trajectory> sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const override {
    const int S = run.grid.steps();
    const Guided v_w = run.sampling(guidance.conditioning);
    const Tensor velocities = inversion.state.at(kVelocities), offsets = inversion.state.at(kOffsets);
    Trajectory path(S - last(S) + 1, inversion.pivots.back());
    Tensor z = path.back(), y = inversion.pivots.front();
    for (int i = last(S); i >= 1; --i) {
      const Tensor v = co_await v_w(z + offsets[i - 1], i);
      y = run.grid.step(y, v - velocities[i - 1], i, i - 1);
      z = run.grid.step(z, at::lerp((z - y) / run.grid[i].p, v, mvg_), i, i - 1);
      path.push_back(z);
    }
    co_return path;
  }

 private:
  int last(int S) const { return static_cast<int>(std::min<int64_t>(upto_, S)); }

  int64_t upto_;
  double mvg_;
};

const RegisteredMethod<DnaEdit> dnaedit(
    {.name = "dnaedit",
     .summary =
         "flows: a drawn noise aligned with the image on the way up; an edit by the difference of the velocities",
     .source = "Xie et al., DNAEdit, NeurIPS 2025 (arXiv 2506.01430)",
     .converges = false,
     .only_for = diffusion::Out::kVelocity});

}  // namespace
}  // namespace roundtrip::inversion
