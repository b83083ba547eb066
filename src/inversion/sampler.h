// One way back, as steps: what a method leaves so that the sampling, or an editor, can drive it.
//
// A sampler moves one latent. Methods whose way back moves several (EDICT, BDIA, BELM) have none.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "inversion/guided.h"

namespace roundtrip::inversion {

// DDIM's step from x_S (Song et al., ICLR 2021, eq. 12), guided by a pair of embeddings at w, with the trial's eta.
// Methods derive from it what they do differently.
class Sampler {
 public:
  // The embeddings of the step from grid index i.
  using PairAt = std::function<CfgPair(int i)>;

  Sampler(const Problem& run, Tensor x_S, PairAt pair_at)
      : run(run), x_S_(std::move(x_S)), pair_at_(std::move(pair_at)) {}
  // Under one prompt against the null prompt.
  Sampler(const Problem& run, Tensor x_S, Conditioning conditioning);
  Sampler(const Sampler&) = delete;
  virtual ~Sampler() = default;

  // The latents from x_S down to the one that the first step is taken from.
  virtual Trajectory start() const { return {x_S_}; }

  CfgPair pair(int i) const { return run.guided(pair_at_(i), w()); }
  virtual double w() const { return run.w(); }
  virtual diffusion::CfgRows rows(const CfgPair& pair) const { return diffusion::cfg_rows(pair, w()); }

  // Called before the step from x [C, H, W] at grid index i. Returns the latent at which the network is asked and from
  // which the step is taken: x itself, unless the method moves it first. Editors call it in the source's walk only.
  virtual Task<Tensor> lead_in(Tensor x, int i) const;

  // x [C, H, W] from grid index i to i - 1, by the predictions of its pair. Called once for each i of a walk, in order.
  virtual Tensor step(const Tensor& x, const diffusion::CfgOut& out, int i) const;

  const Problem& run;

 private:
  Tensor x_S_;
  PairAt pair_at_;
};

// Walks a sampler to the clean end: x[S..0].
Task<Trajectory> walk(const Sampler& sampler);

// A walk under the source prompt, and what a plan of its conditional row (row 0) has watched at each step, from the
// first step on; empty where nothing was watched.
struct SourceWalk {
  Trajectory path;
  Trajectory asked = {};  // the latents at which the network was asked, in order; empty: those of the path
  std::vector<std::vector<Tensor>> watched = {};
};

Task<SourceWalk> walk_watched(const Sampler& sampler, std::shared_ptr<const diffusion::AttentionPlan> plan);

}  // namespace roundtrip::inversion
