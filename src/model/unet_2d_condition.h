// Reads config.json of diffusers' UNet2DConditionModel (0.42): the networks of Stable Diffusion 1 and 2, of SDXL and
// their derivatives.
//
// Every key is read. A key that would change the arithmetic and is not implemented is an error. Not implemented: class
// labels, image embeddings (Kandinsky), GLIGEN, and the blocks named Simple, Skip and K. A latent consistency model's
// time_cond_proj_dim is: such a network is told the guidance scale.
#pragma once

#include "model/json_config.h"
#include "model/unet.h"

namespace roundtrip::model {

// Throws kInput, naming the file and the key.
UNetShape read_unet_2d_condition(JsonConfig config);

}  // namespace roundtrip::model
