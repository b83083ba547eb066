// Attention control as data: which rows of a request lend their attention to which, layer by layer.
//
// A plan travels with a request; its row numbers are local to the request. Editors make plans, networks carry them
// out. No state is kept in layers, and no step is counted there: what changes from step to step is the plan.
//   source map:      out_r = attn(q_s, k_s, v_r)                                                     Route, kSourceMap
//   source content:  out_r = attn(q_r, k_s, v_s)                                                 Route, kSourceContent
//   union:           out_r = attn(q_r, [k_s; k_r], [v_s; v_r])                                           Route, kUnion
//   cross, mapped:   out_r = attn(q_s, k_s, P v_r) + attn(q_r, k_r, d * v_r)                                       Mix
//   watched:         sum over heads and layers of A_r c, for column weights c                                    Watch
//   grafted feature: the residual branch of one resnet, h_r = h_s                                                Graft
// Hertz et al., Prompt-to-Prompt, ICLR 2023 (the maps; the linear form of the cross attention is exact algebra); Cao et
// al., MasaCtrl, ICCV 2023 (content, union); Tumanyan et al., Plug-and-Play, CVPR 2023 (maps, features).
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>

namespace roundtrip::diffusion {

enum class Place { kDown, kMid, kUp };

// Which attention layers an entry of a plan is for. `depth` counts a kind's layers from the input on, from 0.
struct Sites {
  std::vector<Place> places = {};                                            // empty: all
  int64_t min_tokens = 0, max_tokens = std::numeric_limits<int64_t>::max();  // query tokens
  int min_depth = 0;
  std::vector<int> depths = {};  // empty: all from min_depth on
};

// Self-attention of `row` with parts of `source`'s.
struct Route {
  enum class Kind { kSourceMap, kSourceContent, kUnion };
  Sites sites;
  Kind kind = Kind::kSourceMap;
  int row = 0, source = 0;
  at::Tensor key_mask = {};    // [h, w] bool over the source's tokens that may be read; undefined: all
  at::Tensor query_mask = {};  // [h, w] bool: the queries that key_mask holds for; the others read its complement
};

// Cross-attention of `row` mapped from `source`'s.
struct Mix {
  Sites sites;
  int row = 0, source = 0;
  at::Tensor P, d;  // [L, L] source column to row column, [L]
};

// Returns the attention that `row` pays to the tokens weighted by `columns`, mean over heads and summed over layers.
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

struct AttentionPlan {
  std::vector<Route> routes = {};
  std::vector<Mix> mixes = {};
  std::vector<Watch> watches = {};
  std::vector<Graft> grafts = {};

  bool empty() const { return routes.empty() && mixes.empty() && watches.empty() && grafts.empty(); }
};

}  // namespace roundtrip::diffusion
