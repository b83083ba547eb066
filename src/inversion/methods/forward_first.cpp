// DDIM inversion whose first steps are replaced by the forward process.
//
//   x_i = a_i x_0 + s_i n   for the first k levels, one n for all;   DDIM inversion from x_k on
// with k = share S, rounded up. Staniszewski, Kucinski & Deja, "There and Back Again: On the Relation between Noise and
// Image Inversions in Diffusion Models", ICLR 2026 (arXiv 2410.23530). DDIM's predictions are worst next to the image,
// most of all in its smooth regions, and leave its structure in the noise. The way back cannot know the noise that was
// added: what x_k loses of the image is lost however many steps there are. On flows n is drawn alike and Euler's method
// takes DDIM's place. With share 0 it is DDIM inversion.
#include <cmath>

#include "inversion/ddim_method.h"

namespace roundtrip::inversion {
namespace {

class ForwardFirst : public Method {
 public:
  explicit ForwardFirst(const config::Params& params) : share_(params.get_float("share", {.min = 0, .max = 1})) {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    constexpr double kRounding = 1e-9;  // 0.14 * 50 is 7
    const int S = run.grid.steps(), k = static_cast<int>(std::ceil(share_ * S - kRounding));
    Inversion inversion;
    Task<Trajectory> walking = k == 0 ? ddim_invert(run, x0) : ddim_invert_on(run, noisings(run, x0, k));
    inversion.pivots = co_await walking;
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<Sampler>(run, inversion.pivots.back(), guidance.conditioning);
  }

 private:
  // The image and the k levels next to it, with one noise for all.
  static Trajectory noisings(const Problem& run, const Tensor& x0, int k) {
    const Tensor n = run.noise(NoisePurpose::kForward, k, x0);
    Trajectory x{x0};
    for (int i = 1; i <= k; ++i) x.push_back(diffusion::marginal(x0, n, run.grid[i]));
    return x;
  }

  double share_;
};

const RegisteredMethod<ForwardFirst> forward_first(
    {.name = "forward_first",
     .summary = "DDIM inversion from a noising of the image, in place of its first steps",
     .source = "Staniszewski et al., There and Back Again, ICLR 2026 (arXiv 2410.23530)",
     .converges = false});

}  // namespace
}  // namespace roundtrip::inversion
