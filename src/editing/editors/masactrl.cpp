// MasaCtrl: the target is sampled with the content of the source: its own queries read the source's keys and values.
//
//   mutual self-attention:  out_r = attn(q_r, k_s, v_s)                  from a step and a transformer block on
//   with regions:           out_r = M_r attn(q_r, k_s, v_s | M_s) + (1 - M_r) attn(q_r, k_s, v_s | 1 - M_s)
//   union:                  out_r = attn(q_r, [k_s; k_r], [v_s; v_r])
// Cao, Wang, Qi, Shan, Qie & Zheng, "MasaCtrl: Tuning-Free Mutual Self-Attention Control for Consistent Image Synthesis
// and Editing", ICCV 2023: mutual self-attention control, and its mask-guided form; the union is of the published code.
// Both halves of the guidance are edited, each from the row of the source's half.
//
// The source's walk is known before, so that no step before the first edited one asks for a row of the source; an empty
// source prompt has one row for both halves. It does not replace the source's latents by the inversion's: that is the
// method's choice (method=direct). It does not control what T2I-Adapter or ControlNet add.
#include <algorithm>

#include "base/text.h"
#include "editing/editor.h"
#include "editing/linked_step.h"
#include "editing/words.h"

namespace roundtrip::editing {
namespace {

using diffusion::AttentionPlan;
using diffusion::Route;

constexpr const char* kName = "masactrl";

enum class Mode { kSource, kUnion, kRegions, kAuto };

Mode mode_of(const std::string& name) {
  if (name == "source") return Mode::kSource;
  if (name == "union") return Mode::kUnion;
  return name == "regions" ? Mode::kRegions : Mode::kAuto;
}

class MasaCtrl : public Editor {
 public:
  explicit MasaCtrl(const config::Params& params)
      : start_(params.get_int("start", {.min = 0})),
        depth_(params.get_int("depth", {.min = 0})),
        mode_(mode_of(params.get_string("mode", {"source", "union", "regions", "auto"}))),
        words_(read_word_pair(params, "words").value_or(WordPair{})),
        threshold_(params.get_float("threshold", {.min = 0, .max = 1})),
        tokens_(read_tokens(params, "tokens")) {}

  Task<Edit> edit(const Source& source, const Sampler& target, const Brief& brief) const override {
    const Route edited = route(brief);
    Edit result{.path = target.start(), .kept = {}};
    const int first = target.run.grid.steps() + 1 - static_cast<int>(result.path.size());
    for (int i = first; i >= 1; --i) {
      LinkedStep step(target, result.path.back(), i, kName);
      AttentionPlan plan;
      if (first - i >= start_) {  // counts from the noisiest
        const diffusion::CfgPair pair = source.sampler.pair(i);
        const int conditional = step.add(source.x(i), pair.conditional);
        add(edited, step.conditional(), conditional, plan);
        if (step.unconditional() >= 0) {
          add(edited, step.unconditional(), step.add(source.x(i), pair.unconditional), plan);
        }
        for (Route& each : plan.routes) {  // the regions of both halves are seen in the conditional one
          if (!each.seen_regions) continue;
          each.seen_regions->row = step.conditional();
          each.seen_regions->source = conditional;
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
    if (depth_ > network.sites.back().depth) {
      throw Error(ErrorKind::kType, fmt::format("editor.depth: found {}; expected one of the network's transformer "
                                                "blocks, 0 to {}",
                                                depth_, network.sites.back().depth));
    }
    if (mode_ != Mode::kAuto) return;
    if (words_.empty() && !network.edits_name_words) throw no_words();
    const diffusion::Sites looked_at = looked_at_sites(network.h, network.w);
    if (std::ranges::any_of(network.sites, [&](const auto& site) { return looked_at.contains(site); })) return;
    std::vector<std::string> present;
    for (const diffusion::Site& site : network.sites) {
      std::string tokens = std::to_string(site.tokens());
      if (std::ranges::find(present, tokens) == present.end()) present.push_back(std::move(tokens));
    }
    throw Error(ErrorKind::kType,
                fmt::format("editor.tokens: no attention layer has {} tokens; expected one of {}, or another mode",
                            looked_at.max_tokens, join(present, ", ")));
  }

  int64_t released_nfe(int S) const override { return int64_t{4} * S; }

 private:
  static Error no_words() {
    return Error(ErrorKind::kType,
                 "editor.words: found null, and the dataset names no blend words; expected [SOURCE, TARGET], "
                 "whose attention gives the regions of editor.mode=auto");
  }

  diffusion::Sites looked_at_sites(int64_t h, int64_t w) const {
    const int64_t tokens = tokens_.value_or((h / 4) * (w / 4));
    return {.min_tokens = tokens, .max_tokens = tokens};
  }

  // Returns the route of every edited row; the caller fills in the row numbers. A rehearsal uses the same rows without
  // regions.
  Route route(const Brief& brief) const {
    Route edited{.sites = {.min_depth = static_cast<int>(depth_)},
                 .kind = mode_ == Mode::kUnion ? Route::Kind::kUnion : Route::Kind::kSourceContent};
    if (brief.rehearsed) return edited;
    if (mode_ == Mode::kRegions) edited.regions = given(brief);
    if (mode_ == Mode::kAuto) edited.seen_regions = seen(brief);
    return edited;
  }

  static diffusion::Regions given(const Brief& brief) {
    if (!brief.mask.defined()) {
      throw input_error("editor.mode", "found regions; the dataset gives this edit no mask",
                        "a mask for each edit, or editor.mode=source");
    }
    const auto region = [](const Tensor& mask) {
      return mask.reshape({mask.size(-2), mask.size(-1)}).to(at::kFloat);  // [H, W]
    };
    return {.source = region(brief.source_mask.defined() ? brief.source_mask : brief.mask), .row = region(brief.mask)};
  }

  diffusion::SeenRegions seen(const Brief& brief) const {
    if (!brief.source || !brief.target) {
      throw Error(ErrorKind::kType,
                  "editor.mode: found auto; the model has no tokenizer, which tells the tokens of a word; expected a "
                  "model folder with tokenizer/, or editor.mode=source");
    }
    const WordPair words = words_.empty() ? WordPair{brief.words.blend_source, brief.words.blend_target} : words_;
    if (words.empty()) throw no_words();
    return {.sites = looked_at_sites(brief.h, brief.w),
            .source_columns = column_weights(*brief.source, words.source, WordsRule::kStrict, "editor.words"),
            .row_columns = column_weights(*brief.target, words.target, WordsRule::kStrict, "editor.words"),
            .threshold = threshold_};
  }

  static void add(Route edited, int row, int source, AttentionPlan& plan) {
    edited.row = row;
    edited.source = source;
    plan.routes.push_back(std::move(edited));
  }

  int64_t start_, depth_;
  Mode mode_;
  WordPair words_;
  double threshold_;
  std::optional<int64_t> tokens_;
};

const RegisteredEditor<MasaCtrl> masactrl(
    {.name = kName,
     .summary = "keys and values of the source's self-attention in both halves, everywhere or region by region",
     .source = "Cao et al., MasaCtrl, ICCV 2023"});

}  // namespace
}  // namespace roundtrip::editing
