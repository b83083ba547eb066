// A network read from a model folder: its raw prediction, and the facts that the rest of the folder has to agree with.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/registry.h"
#include "diffusion/cfg.h"
#include "diffusion/denoiser.h"
#include "diffusion/flow_schedule.h"
#include "model/json_config.h"
#include "model/safetensors.h"

namespace roundtrip::model {

// A family of networks: the `_class_name` of the config.json that describes one.
struct NetworkInfo {
  static constexpr PluginKind kKind{.noun = "class of networks", .key = "_class_name", .unknown = ErrorKind::kInput};
  std::string name;
};

// Opens the weights beside a config, once the config was accepted.
using WeightOpener = std::function<WeightSource()>;

class Network {
 public:
  // A family registers from its own file: Registered<Network, X>, X made from the config, its weights and the options.
  using Plugins = Registry<Network, NetworkInfo, JsonConfig, const WeightOpener&, at::TensorOptions>;
  virtual ~Network() = default;

  // Returns the network's own prediction (eps, v or the sample) for each row [R, C, H, W], in the dtype of x.
  // Differentiable in x and conditioning.tokens. Several threads may call it at once.
  virtual at::Tensor predict(const diffusion::Batch& batch) const = 0;
  // As of a Denoiser.
  virtual std::vector<diffusion::Site> attention_sites(int64_t /*h*/, int64_t /*w*/) const { return {}; }
  virtual std::vector<std::string> resnets() const { return {}; }
  virtual bool takes_plans() const { return false; }

  // How prompts become conditioning: the towers of Stable Diffusion, SDXL, SD3 or FLUX, or the numbers of classes.
  enum class Prompts { kClip, kSdxl, kSd3, kFlux, kClasses };

  struct Facts {
    int64_t in_channels = 0, out_channels = 0;
    std::array<int64_t, 2> sample_size{};  // height and width; zeros if the config does not say
    int64_t context_channels = 0;          // of the text's tokens; 0 if the network reads none
    int64_t pooled_channels = 0;           // of the pooled text vector; 0 if it reads none
    int64_t timesteps = 0;                 // t must be below this; 0 if any t is accepted
    Prompts prompts = Prompts::kClip;
    int64_t classes = 0;                           // whose labels it reads; the null label comes after them
    int64_t patch = 1;                             // latents' sides are multiples of this; a token is its square
    int64_t max_side = 0;                          // of latents; 0: any
    bool square = false;                           // takes only square latents
    std::optional<diffusion::FlowLine> flow = {};  // predicts a flow's velocity, sampled on this line
    diffusion::GuidanceWay guidance = diffusion::GuidanceWay::kCfg;
  };

  virtual const Facts& facts() const = 0;
};

}  // namespace roundtrip::model
