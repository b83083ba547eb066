// What a method knows of a network: eps(x, t, conditioning), and pixels to latents and back.
//
// The rooms below (engine, inversion) see these interfaces alone; `model` implements them from a folder, tests from
// closed forms.
#pragma once

#include <vector>

#include <ATen/ATen.h>

namespace roundtrip::diffusion {

using at::Tensor;

// What the network is conditioned on. One prompt: tokens [L, D]. A batch of rows: tokens [R, L, D].
// Undefined tensors mean "none": an unconditional network takes no tokens, SD 1.x no pooled vectors.
struct Conditioning {
  Tensor tokens = {};    // the text encoder's last hidden state
  Tensor pooled = {};    // [P] pooled text vector (SDXL)
  Tensor size_ids = {};  // [6] original size, crop, target size (SDXL)
};

// Stacks one conditioning per row.
Conditioning stack(const std::vector<const Conditioning*>& rows);

// The same storage, not the same values: how guidance sees that both branches ask for one row.
bool same_conditioning(const Conditioning& a, const Conditioning& b);

// Predicts the noise. v and sample predictions are turned into eps where the model is read.
class Denoiser {
 public:
  virtual ~Denoiser() = default;

  // x [R, C, H, W], t [R] (int64 timesteps), conditioning of R rows -> eps [R, C, H, W].
  // Differentiable in x and in conditioning.tokens; weights never ask for gradients. Several threads may call it at
  // once.
  virtual Tensor eps(const Tensor& x, const Tensor& t, const Conditioning& conditioning) = 0;
};

// Pixels <-> what the diffusion runs on. Both sides hold N samples; pixels are on [-1, 1].
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

// Prompts -> conditioning.
class TextEncoder {
 public:
  struct Encoded {
    Conditioning conditioning;  // tokens [L, D]
    int dropped_tokens = 0;     // how many did not fit into the model's length
  };

  virtual ~TextEncoder() = default;
  virtual Encoded encode(const std::string& prompt) = 0;
};

}  // namespace roundtrip::diffusion
