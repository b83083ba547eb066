// Prompt-to-Prompt: the target is sampled with attention maps of the source.
//
//   cross-attention, until tau:  A_tgt' = A_src P_i + A_tgt diag(d_i)      Replace, Refine, Reweight (cross_edit.h)
//   self-attention, until tau:   A_tgt' = A_src                            in layers of few tokens
//   local blending:              x <- x_src + M (x - x_src)                M where the maps of words are above a
//   threshold
// Hertz, Mokady, Tenenbaum, Aberman, Pritch & Cohen-Or, "Prompt-to-Prompt Image Editing with Cross Attention Control",
// ICLR 2023, algorithm 1; windows, words and the blend's start as in the code published with null-text inversion, and
// the released tails under `tail: released`.
//
// The source's walk is known before, so that a step needs no unconditional row of the source, and its conditional row
// only while a map is taken from it: 3 rows a step, then 2, where the published code asks for 4 throughout.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "editing/cross_edit.h"
#include "editing/editor.h"
#include "editing/linked_step.h"
#include "editing/p2p_settings.h"

namespace roundtrip::editing {
namespace {

using diffusion::AttentionPlan;

constexpr const char* kName = "prompt_to_prompt";

// Column weights [L] in the source prompt, and in the target prompt.
using Columns = std::pair<Tensor, Tensor>;

// The two prompts of an edit, token by token.
struct Prompts {
  text::PromptTokens source, target;

  Prompts(const Brief& brief, WordsRule rule) {
    if (!brief.source || !brief.target) {
      throw Error(ErrorKind::kType,
                  "editor: the model has no tokenizer, which tells the tokens of a word; expected a model folder with "
                  "tokenizer/, or editor=none");
    }
    source = *brief.source;
    target = *brief.target;
    for (text::PromptTokens* prompt : {&source, &target}) {
      require_fitting(*prompt);
      if (rule == WordsRule::kReleased) prompt->counts.clear();  // the published walk counts characters
    }
  }

  Columns weights(const WordPair& words, WordsRule rule, const char* key) const {
    return {column_weights(source, words.source, rule, key), column_weights(target, words.target, rule, key)};
  }
};

// The words whose maps bound an edit, and those whose regions it leaves alone.
class BlendWords {
 public:
  BlendWords(const P2pSettings& settings, const Brief& brief) {
    const WordPair words = settings.blend_words.value_or(WordPair{brief.words.blend_source, brief.words.blend_target});
    if (words.empty()) return;
    if (brief.rehearsed) {
      columns_ = {Columns{at::ones({2}), at::ones({2})}};
      return;
    }
    const Prompts prompts(brief, settings.words);
    columns_.push_back(prompts.weights(words, settings.words, "editor.blend.words"));
    if (!settings.minus.empty()) {
      columns_.push_back(prompts.weights(settings.minus, settings.words, "editor.blend.minus"));
    }
  }

  bool given() const { return !columns_.empty(); }

  // Watches of a row of the source or of the target: its words, then its minus words.
  void watch(int row, bool is_target, const diffusion::Sites& sites, AttentionPlan& plan) const {
    for (const auto& [source, target] : columns_) {
      plan.watches.push_back({.sites = sites, .row = row, .columns = is_target ? target : source});
    }
  }

 private:
  std::vector<Columns> columns_;
};

// The attention that an edit's steps take from the source.
class Control {
 public:
  Control(const P2pSettings& settings, const Brief& brief, int N)
      : max_tokens_(settings.self_max_tokens), self_(window(settings.self, N)) {
    if (brief.rehearsed) {  // which steps need the source does not depend on what the words are
      const auto some_column = [](const std::string&) { return std::vector<int64_t>{0}; };
      alpha_ = cross_alphas(N, 2, settings.cross, settings.cross_words, some_column);
      map_ = {at::eye(2), at::ones({2})};
      e_ = at::ones({2});
      return;
    }
    const Prompts prompts(brief, settings.words);
    const text::PromptTokens &source = prompts.source, &target = prompts.target;
    const bool replaces =
        settings.mapper == Mapper::kReplace || (settings.mapper == Mapper::kAuto && can_replace(source, target));
    map_ = replaces ? replace_map(source, target, settings.tail) : refine_map(source, target, settings.tail);
    alpha_ = cross_alphas(N, target.max_length, settings.cross, settings.cross_words, [&](const std::string& word) {
      return columns_of(target, word, settings.words, "editor.cross");
    });
    e_ = equalizer(target, settings.equalizer.value_or(brief.words.equalizer), settings.words, "editor.equalizer");
  }

  bool needs_source(int k) const { return self_.contains(k) || alpha_[k].any().item<bool>(); }

  // At step k, of the target's conditional row, by the source's.
  void add(int k, int source, int row, AttentionPlan& plan) const {
    if (alpha_[k].any().item<bool>()) {
      const CrossEdit edit = cross_edit(map_, alpha_[k], e_);
      plan.mixes.push_back({.sites = {}, .row = row, .source = source, .P = edit.P, .d = edit.d});
    }
    if (self_.contains(k)) {
      plan.routes.push_back({.sites = {.max_tokens = max_tokens_}, .row = row, .source = source});
    }
  }

 private:
  int64_t max_tokens_;
  Window self_;
  TokenMap map_;
  Tensor alpha_, e_;  // [N + 1, L], [L]
};

class PromptToPrompt : public Editor {
 public:
  explicit PromptToPrompt(const config::Params& params) : settings_(params) {}

  AttentionPlan watches(const Brief& brief) const override {
    AttentionPlan plan;
    BlendWords(settings_, brief).watch(0, /*is_target=*/false, blend_sites(brief.h, brief.w), plan);
    return plan;
  }

  std::string walk_key(const std::string& words) const override {
    if (!blends(!words.empty())) return "unwatched";
    const std::string own = settings_.blend_words ? named(*settings_.blend_words) : words;
    std::string places;
    for (const diffusion::Place place : settings_.blend_places) places += std::to_string(static_cast<int>(place));
    return fmt::format("words={} minus={} tokens={} places={} strict={}", own, named(settings_.minus),
                       settings_.blend_tokens.value_or(0), places, settings_.words == WordsRule::kStrict);
  }

  Task<Edit> edit(const Source& source, const Sampler& target, const Brief& brief) const override {
    const int N = target.run.grid.steps();
    const Control control(settings_, brief, N);
    const BlendWords words(settings_, brief);
    const diffusion::Sites sites = blend_sites(brief.h, brief.w);
    const bool seen_before = !source.walk.watched.empty();
    LocalBlend blend(settings_.blend);
    std::vector<Tensor> masks;
    Edit result{.path = target.start(), .kept = {}};
    const int first = N + 1 - static_cast<int>(result.path.size());
    for (int i = first; i >= 1; --i) {
      const int k = first - i;  // counts from the noisiest
      LinkedStep step(target, result.path.back(), i, kName);
      AttentionPlan plan;
      int row = -1;
      if (control.needs_source(k) || (words.given() && !seen_before)) {
        row = step.add(source.x(i), source.sampler.pair(i).conditional);
        control.add(k, row, step.conditional(), plan);
      }
      words.watch(step.conditional(), /*is_target=*/true, sites, plan);
      if (!seen_before) words.watch(row, /*is_target=*/false, sites, plan);
      Task<LinkedStep::Result> taking = step.take(std::move(plan));
      LinkedStep::Result taken = co_await taking;
      if (words.given()) {
        blend.add(maps(taken.seen.watched, seen_before ? &source.walk.watched[k] : nullptr));
        if (blend.starts_at(k, N)) {
          masks.push_back(blend.mask(taken.x.size(-2), taken.x.size(-1)));
          taken.x = LocalBlend::blend(masks.back(), source.x(i - 1), taken.x);
        }
      }
      result.path.push_back(std::move(taken.x));
    }
    if (words.given()) result.kept["word_maps"] = blend.maps();
    if (!masks.empty()) result.kept["blend_masks"] = at::stack(masks);
    co_return result;
  }

  void require(const NetworkFacts& network) const override {
    require_attention(network, kName);
    const diffusion::Sites looked_at = blend_sites(network.h, network.w);
    const auto matches = [&](const diffusion::Site& site) { return looked_at.contains(site); };
    if (!blends(network.edits_name_words) || std::ranges::any_of(network.sites, matches)) return;
    std::vector<std::string> present;
    for (const diffusion::Site& site : network.sites) {
      static constexpr std::array kPlaces = {"down", "mid", "up"};
      std::string text = fmt::format("{} ({})", site.tokens(), kPlaces[static_cast<size_t>(site.place)]);
      if (std::ranges::find(present, text) == present.end()) present.push_back(std::move(text));
    }
    throw Error(
        ErrorKind::kType,
        fmt::format("editor.blend.tokens: no attention layer in editor.blend.places has {} tokens; expected one of "
                    "{}, or editor.blend.words=[]",
                    looked_at.max_tokens, join(present, ", ")));
  }

  int64_t released_nfe(int S) const override { return int64_t{4} * S; }

 private:
  static std::string named(const WordPair& words) { return join(words.source, " "); }

  bool blends(bool edit_names_words) const {
    return settings_.blend_words ? !settings_.blend_words->empty() : edit_names_words;
  }

  diffusion::Sites blend_sites(int64_t h, int64_t w) const {
    const int64_t tokens = settings_.blend_tokens.value_or((h / 4) * (w / 4));
    return {.places = settings_.blend_places, .min_tokens = tokens, .max_tokens = tokens};
  }

  BlendMaps maps(const std::vector<Tensor>& seen, const std::vector<Tensor>* of_walk) const {
    const size_t each = settings_.blend.has_minus ? 2 : 1;
    const auto source = [&](size_t n) { return of_walk ? (*of_walk)[n] : seen[each + n]; };
    BlendMaps maps{.source = source(0), .target = seen[0]};
    if (settings_.blend.has_minus) {
      maps.minus_source = source(1);
      maps.minus_target = seen[1];
    }
    return maps;
  }

  P2pSettings settings_;
};

const RegisteredEditor<PromptToPrompt> prompt_to_prompt(
    {.name = kName,
     .summary = "attention maps of the source prompt's walk, cross and self, with reweighting and local blending",
     .source = "Hertz et al., Prompt-to-Prompt, ICLR 2023"});

}  // namespace
}  // namespace roundtrip::editing
