// AutoencoderKL (Rombach et al., CVPR 2022): pixels to the mean and spread of latents, and latents to pixels.
//
// It computes what diffusers 0.42 does, without slicing and tiling. It applies the scaling of the diffusion's latents,
// (z - shift_factor) scaling_factor. Samples are encoded and decoded one at a time, so that the result for an image
// does not depend on its batch.
#pragma once

#include <cstdint>
#include <memory>

#include "diffusion/denoiser.h"
#include "model/json_config.h"
#include "model/safetensors.h"

namespace roundtrip::model {

class AutoencoderKl : public diffusion::Codec {
 public:
  // Throws kInput for a config or weights that do not fit. float16 and bfloat16 become float32 if force_upcast asks for
  // it, as SDXL's does.
  AutoencoderKl(JsonConfig config, WeightSource weights, at::TensorOptions options);
  ~AutoencoderKl() override;

  // Both return the dtype of their argument. Heights and widths must be multiples of scale().
  Posterior encode(const at::Tensor& pixels) override;
  at::Tensor decode(const at::Tensor& latents) override;

  int64_t latent_channels() const;
  int64_t sample_size() const;  // of the training's images, in pixels; 0 if the config does not say
  int64_t scale() const;        // pixels per latent pixel in each direction

 private:
  struct Layers;
  std::unique_ptr<const Layers> layers_;
};

}  // namespace roundtrip::model
