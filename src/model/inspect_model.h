// Facts of a model folder, from its configs and the headers of its weights: sizes, schedule and list of files.
//
// Everything that open_model refuses is refused here too, because the same code builds the networks, on a device
// without memory. Only TorchScript modules are loaded, because they have no header.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "diffusion/denoiser.h"
#include "diffusion/noise_schedule.h"

namespace roundtrip::model {

struct ModelOptions;

struct WeightFile {
  std::string component;  // unet, vae, text_encoder ...
  std::filesystem::path path;
};

struct ModelCard {
  std::string name;  // the folder's, or the model's on the hub
  diffusion::ScheduleConfig schedule;

  int64_t latent_channels = 0;                 // C of the diffusion's latents or pixels
  std::array<int64_t, 2> sample_size{};        // its height and width in the config; zeros if it gives none
  std::array<int64_t, 2> pixel_size{};         // of the images: sample_size times the codec's scale
  int64_t pixel_multiple = 1;                  // the codec takes heights and widths that are multiples of this
  int64_t text_length = 0, text_channels = 0;  // L and D of the conditioning; 0 in an unconditional model

  int64_t parameters = 0;                              // of all components
  std::shared_ptr<const diffusion::Denoiser> network;  // of inspect_model: without weights, for what it says of itself
  std::vector<WeightFile> weight_files;

  // SHA-256 over the names and digests of all weight files. Reads the files, once per process.
  std::string digest() const;
};

// Throws kInput, naming the file, for a folder that does not form a model. Ignores `options.device`.
ModelCard inspect_model(ModelOptions options);

}  // namespace roundtrip::model
