// All that a method sees of one sample: the grid, the network, the embeddings, its settings and a source of noise.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/noise.h"
#include "config/params.h"
#include "diffusion/step_grid.h"
#include "engine/engine.h"

namespace roundtrip::inversion {

using at::Tensor;
using diffusion::Conditioning;
using engine::Task;

// The latents of a walk along the grid, S+1 of them [C, H, W], in the order walked: clean to noise when inverting,
// noise to clean when sampling.
using Trajectory = std::vector<Tensor>;

// Where an explicit inversion step evaluates eps (methods.md A and B): at the timestep that it steps to, or at the one
// that it comes from. x is the latent it comes from in both.
enum class EpsAt { kTarget, kSource };

// The network as a method asks it; every row is charged to the stage that asked.
class Network {
 public:
  Network(engine::Engine& engine, engine::Cost& cost) : engine_(&engine), cost_(&cost) {}

  auto eps(std::vector<engine::Row> rows) const { return engine_->eps(std::move(rows), *cost_); }
  auto eps_vjp(std::vector<engine::Row> rows, Tensor wrt, engine::Cotangent cotangent) const {
    return engine_->eps_vjp(std::move(rows), std::move(wrt), std::move(cotangent), *cost_);
  }

 private:
  engine::Engine* engine_;
  engine::Cost* cost_;
};

// N(0, 1) of the shape of `like`, for one purpose and grid index: the same whenever it is asked for.
using NoiseSource = std::function<Tensor(NoisePurpose purpose, int i, const Tensor& like)>;

// Counter-based, keyed by (seed, sample, purpose, i).
NoiseSource counter_noise(int64_t seed, std::string sample);

struct Problem {
  diffusion::StepGrid grid;
  Network network;
  Conditioning source;  // the prompt that describes the image; the null embedding itself where it is empty
  Conditioning null;
  EpsAt eps_at = EpsAt::kTarget;
  double invert_w = 1;  // guidance scale when inverting
  double w = 1;         // guidance scale when sampling
  double eta = 0;       // DDIM's, when sampling
  bool edits = false;   // sampling is under a target prompt's embedding, not the source's
  NoiseSource noise;
};

}  // namespace roundtrip::inversion
