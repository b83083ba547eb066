// pix2pix-zero's guidance: before each step the latent moves to where its cross-attention is more like the source's.
//
//   L(x) = sum over layers of |A(x) - A_s|^2,   x~ = x - lambda dL/dx,   then the sampler's step from x~
// Parmar, Singh, Zhang, Li, Lu & Zhu, "Zero-shot Image-to-Image Translation", SIGGRAPH 2023, section 3.3,
// cross-attention guidance. A_s is of the source's walk, under its prompt; the loss is the mean over rows and heads, as
// published. The unconditional rows take the source prompt's embedding (the published negative prompt is the caption).
//
// The source's walk is the method's: method=negative_prompt has the published one, the caption in both halves. The maps
// of the source come from a row beside the target's, so none is stored. The published code gives each half of the
// guidance a latent of its own, moved by its own gradient, and steps from the unconditional half's (`halves:
// released`), so that the guidance joins predictions at different latents; `halves: shared` moves one latent by both
// gradients. It does not find the direction of an edit: the target prompt's embedding takes the place of the source's
// plus that direction. It does not regularise the inversion's noise.
#include "editing/editor.h"

namespace roundtrip::editing {
namespace {

using diffusion::AttentionPlan;
using diffusion::CfgRows;

constexpr const char* kName = "pix2pix_zero";

std::vector<Tensor> no_cotangents(const std::vector<Tensor>& out) {
  std::vector<Tensor> zeros;
  for (const Tensor& row : out) zeros.push_back(at::zeros_like(row));
  return zeros;
}

class Pix2PixZero : public Editor {
 public:
  explicit Pix2PixZero(const config::Params& params)
      : learning_rate_(params.get_float("learning_rate", {.min = 0})),
        shares_latent_(params.get_string("halves", {"shared", "released"}) == "shared"),
        negates_source_(params.get_string("negative", {"source", "method"}) == "source") {}

  Task<Edit> edit(const Source& source, const Sampler& target, const Brief&) const override {
    Edit result{.path = target.start(), .kept = {}};
    for (int i = target.run.grid.steps() + 1 - static_cast<int>(result.path.size()); i >= 1; --i) {
      Task<Tensor> stepping = step(source, target, result.path.back(), i);
      result.path.push_back(co_await stepping);
    }
    co_return result;
  }

  void require(const NetworkFacts& network) const override { require_attention(network, kName); }

  // The reference's walk, the gradients and the steps, two rows each.
  int64_t released_nfe(int S) const override { return int64_t{6} * S; }

 private:
  // x [C, H, W] from grid index i to i - 1.
  Task<Tensor> step(const Source& source, const Sampler& target, Tensor x, int i) const {
    const diffusion::Conditioning described = source.sampler.pair(i).conditional;
    diffusion::CfgPair pair = target.pair(i);
    if (negates_source_) pair.unconditional = described;
    const CfgRows which = target.rows(pair);
    const double t = target.run.grid[i].t;

    std::vector<engine::Row> rows = inversion::rows_of(pair, which, x, t);
    std::vector<Tensor> latents = {x};  // to differentiate
    if (!shares_latent_ && rows.size() == 2) rows[1].x = latents.emplace_back(x.clone());
    auto plan = std::make_shared<AttentionPlan>();
    const int reference = static_cast<int>(rows.size());
    for (int row = 0; row < reference; ++row) {
      plan->compares.push_back({.sites = {}, .row = row, .source = reference, .weight = 1.0 / reference});
    }
    // A latent of its own: the first step's may be the target's, whose gradient it has no part in.
    rows.emplace_back(source.x(i).clone(), t, described);
    const engine::OutAndGradient pull =
        co_await target.run.network.out_vjp(std::move(rows), plan, latents, no_cotangents);
    for (size_t n = 0; n < latents.size(); ++n) latents[n] = latents[n] - learning_rate_ * pull.gradients[n];

    std::vector<engine::Row> moved = inversion::rows_of(pair, which, latents.front(), t);
    moved.back().x = latents.back();
    const engine::Answer answer = co_await target.run.network.out(std::move(moved));
    co_return target.step(latents.back(), inversion::cfg_out(answer.out, which), i);
  }

  double learning_rate_;
  bool shares_latent_, negates_source_;
};

const RegisteredEditor<Pix2PixZero> pix2pix_zero(
    {.name = kName,
     .summary = "each step from where the gradient makes cross-attention more like the source's",
     .source = "Parmar et al., Zero-shot Image-to-Image Translation, SIGGRAPH 2023"});

}  // namespace
}  // namespace roundtrip::editing
