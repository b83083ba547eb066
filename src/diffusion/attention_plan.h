// Attention control as data: which rows of a request lend their attention to which, layer by layer.
//
// A plan travels with a request; its row numbers are local to the request. Editors make plans, networks carry them
// out. No state is kept in layers, and no step is counted there: what changes from step to step is the plan.
//   source map:      out_r = attn(q_s, k_s, v_r)                                                     Route, kSourceMap
//   source content:  out_r = attn(q_r, k_s, v_s)                                                 Route, kSourceContent
//   union:           out_r = attn(q_r, [k_s; k_r], [v_s; v_r])                                           Route, kUnion
//   cross, mapped:   out_r = attn(q_s, k_s, P v_r) + attn(q_r, k_r, d * v_r)                                       Mix
//   watched:         A_r c for column weights c, mean over heads and summed over layers                        Watch
//   grafted feature: the residual branch of one resnet, h_r = h_s                                                Graft
//   compared:        |A_r - A_s|^2 over the cross maps, a loss whose gradient the asker wants                  Compare
// Hertz et al., Prompt-to-Prompt, ICLR 2023 (the maps; the linear form of the cross attention is exact algebra); Cao et
// al., MasaCtrl, ICCV 2023 (content, union, regions); Tumanyan et al., Plug-and-Play, CVPR 2023 (maps, features);
// Parmar et al., Zero-shot Image-to-Image Translation (pix2pix-zero), SIGGRAPH 2023 (compared).
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>

namespace roundtrip::diffusion {

enum class Place { kDown, kMid, kUp };

// An attention layer of a network: self-attention and attention to the text of one transformer block. `depth` is the
// block's running number in the order of execution, from 0.
struct Site {
  Place place = Place::kDown;
  int depth = 0;
  int64_t h = 0, w = 0;  // of its queries
  int64_t tokens() const { return h * w; }
};

// Which of them an entry of a plan is for.
struct Sites {
  std::vector<Place> places = {};                                            // empty: all
  int64_t min_tokens = 0, max_tokens = std::numeric_limits<int64_t>::max();  // query tokens
  int min_depth = 0;
  std::vector<int> depths = {};  // empty: all from min_depth on

  bool contains(const Site& site) const;
};

// Regions of the source and of the row [h, w], 1 inside and 0 outside, brought to a layer's size by the nearest pixel:
// queries inside read the keys inside, the others the rest.
struct Regions {
  at::Tensor source, row;
};

// Regions that the pass finds itself: where the cross attention of the layers so far, mean over heads and layers and
// brought to 0..1, reaches the threshold. Nothing is masked before the first such layer.
struct SeenRegions {
  Sites sites;                             // cross layers of one size
  int source = 0, row = 0;                 // whose attention is looked at
  at::Tensor source_columns, row_columns;  // [L] weights
  double threshold = 0;
};

// Self-attention of `row` with parts of `source`'s.
struct Route {
  enum class Kind { kSourceMap, kSourceContent, kUnion };
  Sites sites;
  Kind kind = Kind::kSourceMap;
  int row = 0, source = 0;
  std::optional<Regions> regions = {};  // of source content
  std::optional<SeenRegions> seen_regions = {};
};

// Cross-attention of `row` mapped from `source`'s.
struct Mix {
  Sites sites;
  int row = 0, source = 0;
  at::Tensor P, d;  // [L, L] source column to row column, [L]
};

// Returns the attention that `row` pays to the tokens weighted by `columns` [h, w], after what `mixes` do to it. Layers
// of one size.
struct Watch {
  Sites sites;
  int row = 0;
  at::Tensor columns;  // [L]
};

// The residual branch of a resnet, taken from another row.
struct Graft {
  std::string resnet;  // such as "up_blocks.1.resnets.1"
  int row = 0, source = 0;
};

// Adds to the request's loss, for each layer: weight * (mean over heads of sum over queries and columns of (A_r -
// A_s)^2). A_s is a constant of it.
struct Compare {
  Sites sites;
  int row = 0, source = 0;
  double weight = 1;
};

struct AttentionPlan {
  std::vector<Route> routes = {};
  std::vector<Mix> mixes = {};
  std::vector<Watch> watches = {};
  std::vector<Graft> grafts = {};
  std::vector<Compare> compares = {};

  bool empty() const {
    return routes.empty() && mixes.empty() && watches.empty() && grafts.empty() && compares.empty();
  }
};

// The results of a pass that one plan asked to see.
struct Seen {
  std::vector<at::Tensor> watched;  // [h, w], one for each watch
  at::Tensor loss;                  // of the plan's comparisons; undefined without them
};

}  // namespace roundtrip::diffusion
