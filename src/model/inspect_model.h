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
#include <variant>
#include <vector>

#include "diffusion/cfg.h"
#include "diffusion/denoiser.h"
#include "diffusion/flow_schedule.h"
#include "diffusion/noise_schedule.h"

namespace roundtrip::model {

struct ModelOptions;
class TextEncoder;

struct WeightFile {
  std::string component;  // unet, vae, text_encoder ...
  std::filesystem::path path;
};

struct ModelCard {
  std::string name;  // the folder's, or the model's on the hub
  std::variant<diffusion::ScheduleConfig, diffusion::FlowConfig> schedule;
  diffusion::GuidanceWay guidance = diffusion::GuidanceWay::kCfg;

  int64_t latent_channels = 0;                 // C of the diffusion's latents or pixels
  std::array<int64_t, 2> sample_size{};        // its height and width in the config; zeros if it gives none
  std::array<int64_t, 2> pixel_size{};         // of the images: sample_size times the codec's scale, or the codec's own
  int64_t pixels_per_latent = 1;               // in each direction
  int64_t pixel_multiple = 1;                  // heights and widths are multiples of this
  int64_t max_pixels = 0;                      // of a side; 0: any
  bool square = false;                         // takes only square images
  bool has_text = false;                       // takes prompts
  int64_t text_length = 0, text_channels = 0;  // L and D of the conditioning; 0 in an unconditional model

  int64_t parameters = 0;  // of all components
  // Set by inspect_model, without weights, to look up facts and to check prompts. `prompts` is null without text.
  std::shared_ptr<const diffusion::Denoiser> network;
  std::shared_ptr<const TextEncoder> prompts;
  std::vector<WeightFile> weight_files;

  bool is_flow() const { return std::holds_alternative<diffusion::FlowConfig>(schedule); }

  // The grid of S steps for images of this size in pixels; the size matters only where a flow's shift depends on it.
  // Throws kType where the schedule cannot be cut into so many.
  diffusion::StepGrid grid(int steps, int64_t height, int64_t width) const;

  // Throws kType for a size in pixels that the model does not take.
  void check_size(int64_t height, int64_t width) const;

  // SHA-256 over the names and digests of all weight files. Reads the files, once per process.
  std::string digest() const;
};

// Throws kInput, naming the file, for a folder that does not form a model. Ignores `options.device`.
ModelCard inspect_model(ModelOptions options);

}  // namespace roundtrip::model
