// Null-text inversion: the null embedding of each step is tuned until the guided walk back keeps to the pivots.
//
// Mokady, Hertz, Aberman, Pritch & Cohen-Or, "Null-text Inversion for Editing Real Images using Guided Diffusion
// Models", CVPR 2023, algorithm 1; the stopping rule and the decay of the learning rate as its published notebook has
// them. The pivots are DDIM's at w = 1. An edit samples under the target prompt against the tuned embeddings.
//
// `pivots: forward_noise` and `embedding: global` are the paper's ablations: a random noising of the image in place of
// DDIM's pivots, and one embedding for all steps.
#include <limits>

#include "inversion/embedding_tuning.h"
#include "inversion/forward_chain.h"

namespace roundtrip::inversion {
namespace {

class NullText : public EmbeddingTuning {
 public:
  explicit NullText(const config::Params& params)
      : EmbeddingTuning(EmbeddingFit(EmbeddingFit::Tuned::kUnconditional, params,
                                     params.get_string("embedding", {"per_step", "global"}) == "global")),
        random_pivots_(params.get_string("pivots", {"ddim", "forward_noise"}) == "forward_noise") {}

  Task<Inversion> invert(const Problem& p, Tensor x0) const override {
    if (!random_pivots_) co_return co_await DdimMethod::invert(p, std::move(x0));
    Inversion inversion;
    inversion.pivots = forward_chain(p, std::move(x0));
    co_return inversion;
  }

  Reads invert_reads() const override { return random_pivots_ ? forward_chain_reads() : DdimMethod::invert_reads(); }
  Evaluations invert_evaluations(const Ask& ask) const override {
    return random_pivots_ ? Evaluations{} : DdimMethod::invert_evaluations(ask);
  }
  double default_invert_w(double w) const override {
    return random_pivots_ ? std::numeric_limits<double>::quiet_NaN() : DdimMethod::default_invert_w(w);
  }

 private:
  Guides guides(const Problem&, const Conditioning& tuned, const Conditioning& conditioning) const override {
    return {conditioning, tuned};
  }

  bool random_pivots_;
};

const MethodRegistration registration(
    {.name = "null_text",
     .summary = "DDIM's pivots, and the null embedding of each step tuned to keep the guided walk on them",
     .source = "Mokady et al., Null-text Inversion for Editing Real Images, CVPR 2023"},
    [](const config::Params& params) -> std::unique_ptr<Method> { return std::make_unique<NullText>(params); });

}  // namespace
}  // namespace roundtrip::inversion
