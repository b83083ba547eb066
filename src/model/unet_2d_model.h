// Reads config.json of diffusers' UNet2DModel (0.42): the unconditional networks of the DDPM family (Ho et al., NeurIPS
// 2020).
//
// Every key is read. A key that would change the arithmetic and is not implemented is an error. Not implemented: class
// labels, Fourier times (score-based models on sigmas), and the blocks named Skip.
#pragma once

#include "model/json_config.h"
#include "model/unet.h"

namespace roundtrip::model {

// Throws kInput, naming the file and the key.
UNetShape read_unet_2d_model(JsonConfig config);

}  // namespace roundtrip::model
