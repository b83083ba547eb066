// One pass of a network over rows that attention plans link: what its attention layers and residual blocks do instead.
//
// The pass walks the network's sites in the order of execution. A plan's entries become index tensors and a few
// products at each site that they name; rows that none names keep today's arithmetic, bit for bit. Attention stays
// fused: rows take another row's queries, keys or values before the one call for all rows. Only what is watched or
// compared is computed as a map, at the sites that match, and no map outlives its layer.
//   cross, mapped:   out_r = attn(q_s, k_s, P v_r) + attn(q_r, k_r, d * v_r)     the first term is a second, small call
// Hertz et al., Prompt-to-Prompt, ICLR 2023, in its linear form; see diffusion/attention_plan.h for the rest.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diffusion/denoiser.h"
#include "model/layers.h"
#include "model/row_copies.h"

namespace roundtrip::model {

class AttentionControl {
 public:
  // Rows of a slice that starts at row `from` of the batch. `like` has the network's dtype and device.
  AttentionControl(const std::vector<diffusion::LinkedRows>& linked, int64_t from, at::TensorOptions like);

  // The network names the site before its attention layers, block by block.
  void enter(diffusion::Place place) { site_.place = place; }
  void enter_block(int64_t h, int64_t w);

  Tensor self_attention(const Tensor& qkv, int64_t heads);                   // [N, T, 3 C] -> [N, T, C]
  Tensor cross_attention(const Tensor& q, const Tensor& kv, int64_t heads);  // [N, T, C], [N, L, 2 C] -> [N, T, C]
  RowCopies grafts(const std::string& resnet) const;

  // Throws kType if a plan watches where the network has no site.
  void finish() const;

 private:
  // A plan with its rows counted from the first of the slice, and its tensors where the network computes.
  struct Linked {
    diffusion::AttentionPlan plan;
    std::shared_ptr<diffusion::Seen> seen;
    std::vector<bool> drops_own;                   // of each mix: d is zero
    std::vector<diffusion::Regions> seen_regions;  // of each route: sums of the maps so far
  };

  // The regions that bound a route at this site; nothing where it is not bounded (yet).
  std::optional<diffusion::Regions> regions(const Linked& linked, size_t route) const;
  void look(const Tensor& q, const Tensor& k, int64_t heads);

  std::vector<Linked> linked_;
  diffusion::Site site_{.depth = -1};
};

}  // namespace roundtrip::model
