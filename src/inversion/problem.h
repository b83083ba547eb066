// The view that a method has of one sample: the grid, the guided network, the embeddings, its settings and a source of
// noise.
//
// Settings are read through getters that note it. A rehearsal (rehearsal.h) so learns what a stage depends on, and
// records that agree in that share the stage's work; no method declares it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/noise.h"
#include "diffusion/cfg.h"
#include "diffusion/step_grid.h"
#include "engine/engine.h"

namespace roundtrip::inversion {

using at::Tensor;
using diffusion::CfgPair;
using diffusion::Conditioning;
using engine::Task;

// The latents of a walk along the grid, S+1 of them [C, H, W], in the order walked: clean to noise when inverting,
// noise to clean when sampling.
using Trajectory = std::vector<Tensor>;

// The time at which an explicit inversion step evaluates eps (methods.md A and B): of the level that it steps to, or of
// the one that it steps from. x is the latent it steps from in both.
enum class EpsAt { kTo, kFrom };

// The network as a method asks it; every row is charged to the stage that asked.
class Network {
 public:
  Network(engine::Engine& engine, engine::Cost& cost) : engine_(&engine), cost_(&cost) {}

  auto out(std::vector<engine::Row> rows) const { return engine_->out(std::move(rows), *cost_); }
  auto out(std::vector<engine::Row> rows, std::shared_ptr<const diffusion::AttentionPlan> plan) const {
    return engine_->out(std::move(rows), std::move(plan), *cost_);
  }
  auto out_vjp(std::vector<engine::Row> rows, Tensor wrt, engine::Cotangent cotangent) const {
    return engine_->out_vjp(std::move(rows), std::move(wrt), std::move(cotangent), *cost_);
  }
  auto out_vjp(std::vector<engine::Row> rows, std::shared_ptr<const diffusion::AttentionPlan> plan,
               std::vector<Tensor> wrt, engine::Cotangent cotangent) const {
    return engine_->out_vjp(std::move(rows), std::move(plan), std::move(wrt), std::move(cotangent), *cost_);
  }

 private:
  engine::Engine* engine_;
  engine::Cost* cost_;
};

// N(0, 1) of the shape of `like`, for one purpose and grid index: the same whenever it is asked for.
using NoiseSource = std::function<Tensor(NoisePurpose purpose, int i, const Tensor& like)>;

// Counter-based, keyed by (seed, sample, purpose, i).
NoiseSource counter_noise(int64_t seed, std::string sample);

// The config keys of settings that every method knows.
inline constexpr const char* kEpsAtKey = "eps_at";
inline constexpr const char* kInvertWKey = "invert_guidance_scale";
inline constexpr const char* kWKey = "guidance_scale";
inline constexpr const char* kEtaKey = "eta";
inline constexpr const char* kSeedKey = "seed";
// The target prompt. It is not a setting, but whether a stage reads it is noted in the same way.
inline constexpr const char* kTargetKey = "target_prompt";

// The settings of a trial that a method may read.
struct Settings {
  EpsAt eps_at = EpsAt::kTo;
  diffusion::GuidanceWay guidance = diffusion::GuidanceWay::kCfg;          // the model's
  double invert_w = 1;                                                     // guidance scale when inverting
  std::map<std::string, double> numbers = {{kWKey, 1.0}, {kEtaKey, 0.0}};  // all others, by config key
};

// Those of them that a stage has read, besides the steps, the embeddings and the method's own parameters.
struct Dependencies {
  std::set<std::string> keys = {};
  bool has(const char* key) const { return keys.contains(key); }

  // Walks that methods have in common, as they went: a stage that returns such a walk as it is shares it with every
  // method that does.
  std::vector<std::pair<std::string, Trajectory>> walks = {};
};

class Guided;

class Problem {
 public:
  struct Parts {
    diffusion::StepGrid grid;
    Network network;
    Conditioning source;  // of the prompt that describes the image; the null embedding itself where that is empty
    Conditioning null;
    Settings settings;
    NoiseSource noise;
    std::optional<Conditioning> target = {};  // embedding of the target prompt, if the record is an edit
    Dependencies* noted = nullptr;
  };

  explicit Problem(Parts parts)
      : grid(std::move(parts.grid)),
        network(parts.network),
        source(std::move(parts.source)),
        null(std::move(parts.null)),
        settings_(parts.settings),
        noise_(std::move(parts.noise)),
        target_(std::move(parts.target)),
        noted_(parts.noted) {}
  Problem(const Problem&) = delete;  // what it hands out refers to it

  const diffusion::StepGrid grid;
  const Network network;
  const Conditioning source, null;

  EpsAt eps_at() const { return note(kEpsAtKey, settings_.eps_at); }
  double invert_w() const { return note(kInvertWKey, settings_.invert_w); }
  double w() const { return number(kWKey); }      // guidance scale when sampling
  double eta() const { return number(kEtaKey); }  // DDIM's, when sampling
  Tensor noise(NoisePurpose purpose, int i, const Tensor& like) const {
    return note(kSeedKey, noise_)(purpose, i, like);
  }

  // Embedding of the target prompt, for inversions that read it; none when reconstructing. Sampling takes its prompt
  // from Guidance instead.
  const std::optional<Conditioning>& target() const { return note(kTargetKey, target_); }

  // Any setting that is a number, by its config key.
  double number(const char* key) const {
    const auto setting = settings_.numbers.find(key);
    check(setting != settings_.numbers.end(), fmt::format("the setting {} is declared", key));
    return note(key, setting->second);
  }

  // The pair as the model takes it at guidance scale w: distilled models are asked one row, and may be told w.
  CfgPair guided(CfgPair pair, double w) const { return diffusion::guided(settings_.guidance, std::move(pair), w); }

  // The network guided by the source prompt at invert_w, and by `conditioning` against the null prompt at w.
  Guided inverting() const;
  Guided sampling(Conditioning conditioning) const;

  void note_walk(const char* name, const Trajectory& walk) const {
    if (noted_) noted_->walks.emplace_back(name, walk);
  }

 private:
  template <typename T>
  const T& note(const char* key, const T& value) const {
    if (noted_) noted_->keys.insert(key);
    return value;
  }

  Settings settings_;
  NoiseSource noise_;
  std::optional<Conditioning> target_;
  Dependencies* noted_;
};

}  // namespace roundtrip::inversion
