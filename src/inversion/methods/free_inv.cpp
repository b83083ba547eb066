// FreeInv: DDIM inversion that shows the network the latent turned and mirrored, at random from step to step.
//
//   eps_i = T_i^-1 eps(T_i x, tau_i),   T_i drawn for step i, the same both ways
// Bao, Liu, Gao, Fu & Kang, "FreeInv: Free Lunch for Improving DDIM Inversion", 2025 (arXiv 2503.23035). The errors
// of an ensemble of transformed images cancel in its mean; drawing one transformation for each step approximates that
// mean. No code was released. The transformations here are the eight symmetries of a square, or its rotations or
// reflections alone; a latent that is not square is rotated by half turns only. If the network's prediction is
// equivariant under the transformations, this is DDIM inversion.
//
// The method assumes that a transformed image is as likely as the image itself. On a mixture of Gaussians that is not
// symmetric, the round trip got worse with more steps.
//
// The attention maps are those of the transformed latent, so editors cannot drive this method.
#include "inversion/method.h"

namespace roundtrip::inversion {
namespace {

enum class Transforms { kBoth, kRotate, kFlip };

// A symmetry of the square: mirrored left to right, then turned by quarters.
struct Symmetry {
  bool mirrored = false;
  int64_t quarters = 0;

  Tensor of(const Tensor& x) const {  // [C, h, w]
    return (mirrored ? x.flip({-1}) : x).rot90(quarters, {-2, -1}).contiguous();
  }
  Tensor undone(const Tensor& x) const {
    const Tensor turned = x.rot90(-quarters, {-2, -1});
    return (mirrored ? turned.flip({-1}) : turned).contiguous();
  }
};

class FreeInv : public Method {
 public:
  explicit FreeInv(const config::Params& params) {
    const std::string& name = params.get_string("transforms", {"both", "rotate", "flip"});
    transforms_ = name == "both" ? Transforms::kBoth : name == "rotate" ? Transforms::kRotate : Transforms::kFlip;
  }

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    const Guided eps_w = run.inverting();
    Inversion inversion;
    Trajectory& x = inversion.pivots;
    x = {std::move(x0)};
    for (int i = 1; i <= run.grid.steps(); ++i) {
      const Symmetry T = symmetry(run, i, x.back());
      const Tensor eps = co_await eps_w(T.of(x.back()), run.eps_at() == EpsAt::kTo ? i : i - 1);
      x.push_back(run.grid.step(x.back(), T.undone(eps), i - 1, i));
    }
    co_return inversion;
  }

  Task<Trajectory> sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const override {
    const Sampler ddim(run, inversion.pivots.back(), guidance.conditioning);
    Trajectory path = ddim.start();
    for (int i = run.grid.steps(); i >= 1; --i) {
      const CfgPair pair = ddim.pair(i);
      const Symmetry T = symmetry(run, i, path.back());
      diffusion::CfgOut out = co_await predict_pair(run, T.of(path.back()), i, pair, ddim.rows(pair));
      for (Tensor* eps : {&out.conditional, &out.unconditional}) {
        if (eps->defined()) *eps = T.undone(*eps);
      }
      path.push_back(ddim.step(path.back(), out, i));
    }
    co_return path;
  }

 private:
  // Draws the symmetry of the step between grid indices i and i - 1, by three fair coins: the signs of three numbers.
  Symmetry symmetry(const Problem& run, int i, const Tensor& x) const {
    const Tensor draws = run.noise(NoisePurpose::kShifts, i, at::empty({3}, at::kDouble));
    const auto coin = [&draws](int k) { return draws[k].item<double>() > 0; };
    Symmetry T{.mirrored = coin(0), .quarters = 2 * coin(1) + coin(2)};
    if (transforms_ == Transforms::kRotate) T.mirrored = false;
    if (transforms_ == Transforms::kFlip || x.size(-1) != x.size(-2)) T.quarters = 2 * coin(1);
    return T;
  }

  Transforms transforms_ = Transforms::kBoth;
};

const RegisteredMethod<FreeInv> free_inv(
    {.name = "free_inv",
     .summary = "DDIM inversion that shows the network the latent turned and mirrored at random, the same both ways",
     .source = "Bao et al., FreeInv, 2025 (arXiv 2503.23035)"});

}  // namespace
}  // namespace roundtrip::inversion
