// Opens a diffusers folder as users have it: a denoiser, a codec, a text encoder and the noise schedule.
//
//   unet/ or transformer/ (or its files beside scheduler_config.json, or denoiser.yaml: torchscript_denoiser.h)
//   scheduler/  vae/ (without: pixel space)  text_encoder/ and tokenizer/ (without: unconditional)
//   text_encoder_2/ and tokenizer_2/ (SDXL, SD3; FLUX: T5)  text_encoder_3/ and tokenizer_3/ (SD3: T5, optional)
//   model_index.json (optional but for the names of DiT's classes)
// Every component reads its own config.json and safetensors. Contents that are not implemented here are an error.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "diffusion/denoiser.h"
#include "model/inspect_model.h"
#include "model/text_encoder.h"

namespace roundtrip::model {

struct ModelOptions {
  std::filesystem::path path;     // or a name in the hub's cache: model_path.h
  std::string dtype = "float32";  // or float64, bfloat16, float16
  at::Device device = at::kCPU;
  std::optional<int64_t> t5_tokens = {};  // of a prompt; none: the pipeline's, 256 for SD3 and 512 for FLUX
  std::optional<double> shift = {};       // of a flow's levels, of every image size; none: as the scheduler config says
};

// Throws kInput for any other name.
at::ScalarType dtype_of(const std::string& dtype);

struct Model : ModelCard {
  std::unique_ptr<diffusion::Denoiser> denoiser;
  std::unique_ptr<diffusion::Codec> codec;
  std::unique_ptr<TextEncoder> text;  // null in an unconditional model
};

// Throws kInput, naming the file, for a folder that does not form a model.
Model open_model(const ModelOptions& options);

}  // namespace roundtrip::model
