// A network that reads size ids (SDXL), given those of the picture it is asked about: the original and the
// target size are the picture's own, and nothing is cropped, as diffusers' pipelines have it by default.
#pragma once

#include <memory>

#include "diffusion/denoiser.h"

namespace roundtrip::model {

// `pixels_per_latent`: in each direction. Conditioning that comes with size ids keeps them.
std::unique_ptr<diffusion::Denoiser> with_size_ids(std::unique_ptr<diffusion::Denoiser> network,
                                                   int64_t pixels_per_latent);

}  // namespace roundtrip::model
