// A model folder's facts from its configs and the headers of its weights: sizes, schedule, which files it consists of.
//
// Everything that open_model refuses is refused here too, since the same code builds the networks, on a device without
// memory. Only TorchScript modules are loaded: they have no header.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

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

  int64_t latent_channels = 0;           // C of what the diffusion runs on
  std::array<int64_t, 2> sample_size{};  // its height and width, as the config has them; zeros where it does not say
  std::array<int64_t, 2> pixel_size{};   // of the images: sample_size times the codec's scale
  int64_t pixel_multiple = 1;            // heights and widths that the codec takes are multiples of this
  int64_t text_length = 0, text_channels = 0;  // L and D of the conditioning; 0 in an unconditional model

  int64_t parameters = 0;  // of all components
  std::vector<WeightFile> weight_files;

  // SHA-256 over the names and digests of all weight files. Reads them, once per process.
  std::string digest() const;
};

// Throws kInput, naming the file, for a folder that does not make a model. `options.device` is not used.
ModelCard inspect_model(ModelOptions options);

}  // namespace roundtrip::model
