// A diffusers folder as users have it, opened: a denoiser, a codec, a text encoder and the noise schedule.
//
//   unet/ (or its files beside scheduler_config.json, or denoiser.yaml: torchscript_denoiser.h)
//   scheduler/  vae/ (without: pixel space)  text_encoder/ and tokenizer/ (without: unconditional)
//   text_encoder_2/ and tokenizer_2/ (SDXL)  model_index.json (optional)
// Every component reads its own config.json and safetensors; what is in it and not implemented here is an
// error.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "diffusion/denoiser.h"
#include "diffusion/noise_schedule.h"
#include "model/text_encoder.h"

namespace roundtrip::model {

struct ModelOptions {
  std::filesystem::path path;     // or a name in the hub's cache: model_path.h
  std::string dtype = "float32";  // or float64, bfloat16, float16
  std::string device = "cpu";     // as PyTorch names them: cpu, cuda, cuda:1
};

// Throws kInput for another name.
at::ScalarType dtype_of(const std::string& dtype);

struct Model {
  std::string name;  // the folder's, or the model's on the hub
  std::unique_ptr<diffusion::Denoiser> denoiser;
  std::unique_ptr<diffusion::Codec> codec;
  std::unique_ptr<TextEncoder> text;  // null in an unconditional model
  diffusion::ScheduleConfig schedule;

  int64_t latent_channels = 0;           // C of what the diffusion runs on
  std::array<int64_t, 2> sample_size{};  // its height and width, as the config has them; zeros where it does not say
  std::array<int64_t, 2> pixel_size{};   // of the images: sample_size times the codec's scale
  int64_t pixel_multiple = 1;            // heights and widths that the codec takes are multiples of this
  int64_t text_length = 0, text_channels = 0;  // L and D of the conditioning; 0 in an unconditional model

  int64_t parameters = 0;  // of all components
  std::string digest;      // SHA-256 over the names and digests of all weight files
};

// Throws kInput, naming the file, for a folder that does not make a model.
Model open_model(const ModelOptions& options);

}  // namespace roundtrip::model
