// Plug-and-Play: the target is sampled with the source's features and self-attention maps, in the decoder.
//
//   features, until tau_f:  h_r = h_s                        the residual branch of one block of the way up
//   maps, until tau_A:      out_r = attn(q_s, k_s, v_r)      self-attention of the blocks from `depth` on, on the way
//   up
// Tumanyan, Geyer, Bagon & Dekel, "Plug-and-Play Diffusion Features for Text-Driven Image-to-Image Translation", CVPR
// 2023, section 3, algorithm 1. Both halves of the guidance take them from one row of the source: the inversion's
// latent at the step, under the null prompt, whatever prompt the inversion had.
//
// The source is the inversion, not a walk back from it, so that nothing is sampled besides the target, and a step after
// both windows asks for no row of the source. It does not scale the negative prompt against the null prompt (the
// paper's alpha, which the published code leaves out).
#include <algorithm>

#include "base/text.h"
#include "editing/editor.h"
#include "editing/linked_step.h"

namespace roundtrip::editing {
namespace {

using diffusion::AttentionPlan;
using diffusion::Place;
using diffusion::Route;

constexpr const char* kName = "plug_and_play";

class PlugAndPlay : public Editor {
 public:
  explicit PlugAndPlay(const config::Params& params)
      : attention_(params.get_float("attention", {.min = 0, .max = 1})),
        features_(params.get_float("features", {.min = 0, .max = 1})),
        depth_(params.get_int("depth", {.min = 0})),
        resnet_(params.get_string("resnet")) {
    const std::string negative = "negative_prompt";
    constexpr const char* kType = "str or null";
    const config::Value& prompt = params.get_value(negative, kType);
    if (params.is_null(negative)) return;
    if (!std::holds_alternative<std::string>(prompt)) throw params.wrong(negative, kType);
    negative_ = std::get<std::string>(prompt);
  }

  bool reads_walk() const override { return false; }

  std::vector<std::string> prompts() const override {
    return negative_ ? std::vector<std::string>{*negative_} : std::vector<std::string>{};
  }

  Task<Edit> edit(const Source& source, const Sampler& target, const Brief& brief) const override {
    const int N = target.run.grid.steps();
    const int maps_end = static_cast<int>(attention_ * N), features_end = static_cast<int>(features_ * N);
    Edit result{.path = target.start(), .kept = {}};
    const int first = N + 1 - static_cast<int>(result.path.size());
    for (int i = first; i >= 1; --i) {
      const int k = first - i;  // counts from the noisiest
      diffusion::CfgPair pair = target.pair(i);
      if (negative_) pair.unconditional = brief.embeddings.at(*negative_);
      LinkedStep step(target, result.path.back(), i, std::move(pair), kName);
      AttentionPlan plan;
      if (k < std::max(maps_end, features_end)) {
        const int row = step.add(source.pivots[i], target.run.null);
        for (const int half : {step.conditional(), step.unconditional()}) {
          if (half < 0) continue;
          if (k < maps_end) plan.routes.push_back(maps(half, row));
          if (k < features_end) plan.grafts.push_back({.resnet = resnet_, .row = half, .source = row});
        }
      }
      Task<LinkedStep::Result> taking = step.take(std::move(plan));
      LinkedStep::Result taken = co_await taking;
      result.path.push_back(std::move(taken.x));
    }
    co_return result;
  }

  void require(const NetworkFacts& network) const override {
    require_attention(network, kName);
    const diffusion::Sites injected = sites();
    int last = -1;  // block of the way up
    for (const diffusion::Site& site : network.sites) {
      if (site.place == Place::kUp) last = std::max(last, site.depth);
    }
    if (attention_ > 0 && last < 0) {
      throw Error(ErrorKind::kType, fmt::format("editor.attention: found {}; the network has no transformer blocks on "
                                                "its way up; expected 0, or another model",
                                                python_repr(attention_)));
    }
    if (attention_ > 0 && depth_ > last) {
      throw Error(ErrorKind::kType,
                  fmt::format("editor.depth: found {}; expected at most {}, the last transformer block of the network",
                              depth_, last));
    }
    if (features_ > 0 && std::ranges::find(network.resnets, resnet_) == network.resnets.end()) {
      throw Error(ErrorKind::kType, fmt::format("editor.resnet: found {}; expected a residual block of the network.{}",
                                                name_text(resnet_), did_you_mean(resnet_, network.resnets)));
    }
  }

  int64_t released_nfe(int S) const override { return int64_t{3} * S; }

 private:
  diffusion::Sites sites() const { return {.places = {Place::kUp}, .min_depth = static_cast<int>(depth_)}; }
  Route maps(int row, int source) const {
    return {.sites = sites(), .kind = Route::Kind::kSourceMap, .row = row, .source = source};
  }

  double attention_, features_;
  int64_t depth_;
  std::string resnet_;
  std::optional<std::string> negative_;
};

const RegisteredEditor<PlugAndPlay> plug_and_play(
    {.name = kName,
     .summary = "features of one residual block and self-attention maps of the inversion's latents, on the way up",
     .source = "Tumanyan et al., Plug-and-Play, CVPR 2023"});

}  // namespace
}  // namespace roundtrip::editing
