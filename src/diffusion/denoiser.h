// The networks as methods and the engine see them: predictions for a batch of rows, pixels to latents and back.
//
// `model` implements these interfaces from a folder, tests from closed forms.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "diffusion/attention_plan.h"
#include "diffusion/level.h"

namespace roundtrip::diffusion {

using at::Tensor;

// The conditioning of a network. One prompt: tokens [L, D]. A batch of rows: tokens [R, L, D].
// Undefined tensors mean "none": an unconditional network takes no tokens, SD 1.x no pooled vectors.
struct Conditioning {
  Tensor tokens = {};    // hidden states of the text encoders
  Tensor pooled = {};    // [P] pooled text vector (SDXL, SD3, FLUX)
  Tensor size_ids = {};  // [6] original size, crop, target size (SDXL)
  Tensor label = {};     // [] int64, number of a class (DiT)
  Tensor guidance = {};  // [] float64, the guidance scale that a distilled network is told (FLUX.1-dev)
};

// The fields of a conditioning, for what is done to each of them alike.
inline constexpr std::array kConditioningFields = {&Conditioning::tokens, &Conditioning::pooled,
                                                   &Conditioning::size_ids, &Conditioning::label,
                                                   &Conditioning::guidance};

// Stacks one conditioning per row.
Conditioning stack(const std::vector<const Conditioning*>& rows);

// Rows [from, from + count) of a batch's conditioning.
Conditioning narrow(const Conditioning& batch, int64_t from, int64_t count);

// The same storage, not the same values: how guidance sees that both of its rows would be one.
bool same_conditioning(const Conditioning& a, const Conditioning& b);

// Rows of a batch that a plan links: they stay in one batch and on one thread. The plan is not empty; the denoiser
// writes what it asks to see.
struct LinkedRows {
  int64_t first = 0, count = 0;
  std::shared_ptr<const AttentionPlan> plan;
  std::shared_ptr<Seen> seen = std::make_shared<Seen>();
};

struct Batch {
  Tensor x;                             // [R, C, H, W]
  Tensor t;                             // [R] float64
  Conditioning conditioning = {};       // of R rows
  std::vector<LinkedRows> linked = {};  // ascending, disjoint; rows outside them do not see each other
};

class Denoiser {
 public:
  virtual ~Denoiser() = default;

  // One prediction per row [R, C, H, W]. Differentiable in x and in conditioning.tokens; weights never ask for
  // gradients. Several threads may call it at once.
  virtual Tensor out(const Batch& batch) = 0;

  virtual Out predicts() const { return Out::kEps; }
  // Its attention layers in the order of execution, for latents of h x w: what plans can address. Empty if it takes
  // none.
  virtual std::vector<Site> attention_sites(int64_t /*h*/, int64_t /*w*/) const { return {}; }
  // Names of its residual blocks whose branch a graft can replace.
  virtual std::vector<std::string> resnets() const { return {}; }
  virtual bool takes_plans() const { return false; }
};

// Pixels <-> the space that the diffusion runs in. Both sides hold N samples; pixels are on [-1, 1].
class Codec {
 public:
  struct Posterior {
    Tensor mean, std;  // [N, C, h, w], in the scale that the diffusion runs on; std is undefined where it is zero
  };

  virtual ~Codec() = default;
  virtual Posterior encode(const Tensor& pixels) = 0;  // [N, 3, H, W]
  virtual Tensor decode(const Tensor& latents) = 0;    // [N, C, h, w] -> [N, 3, H, W], not clamped
  virtual bool lossless() const { return false; }      // pixel space: the codec's floor is +inf dB
};

}  // namespace roundtrip::diffusion
