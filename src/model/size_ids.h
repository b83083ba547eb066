// Supplies size ids to a network that reads them (SDXL). Original and target size are those of the picture itself, and
// nothing is cropped, which is the default of diffusers' pipelines.
#pragma once

#include <memory>

#include "diffusion/denoiser.h"

namespace roundtrip::model {

// `pixels_per_latent` counts in each direction. Conditioning that already has size ids keeps them.
std::unique_ptr<diffusion::Denoiser> with_size_ids(std::unique_ptr<diffusion::Denoiser> network,
                                                   int64_t pixels_per_latent);

}  // namespace roundtrip::model
