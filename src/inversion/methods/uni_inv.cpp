// Uni-Inv: each implicit step asked once, at the latent that the previous step's prediction leads to (uni_invert.h).
//
// Jiao et al., "UniEdit-Flow: Unleashing Inversion and Editing in the Era of Flow Models", 2025 (arXiv 2504.13109). It
// is one warm-started iteration of fixed-point inversion, on diffusion models as on flows. eps_at is not read. The
// paper's editing, Uni-Edit, is not here.
#include "inversion/method.h"
#include "inversion/uni_invert.h"

namespace roundtrip::inversion {
namespace {

class UniInv : public Method {
 public:
  explicit UniInv(const config::Params& params) : zero_init_(params.get_bool("zero_init")) {}

  Task<Inversion> invert(const Problem& run, Tensor x0) const override {
    Inversion inversion;
    Task<Trajectory> walking = uni_invert(run, std::move(x0), zero_init_);
    inversion.pivots = co_await walking;
    co_return inversion;
  }

  std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                   const Guidance& guidance) const override {
    return std::make_unique<Sampler>(run, inversion.pivots.back(), guidance.conditioning);
  }

 private:
  bool zero_init_;
};

const RegisteredMethod<UniInv> uni_inv(
    {.name = "uni_inv",
     .summary = "the implicit step asked once, where the previous step's prediction leads; one evaluation beyond DDIM",
     .source = "Jiao et al., UniEdit-Flow, 2025 (arXiv 2504.13109)"});

}  // namespace
}  // namespace roundtrip::inversion
