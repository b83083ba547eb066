// UNet of diffusion models (Ho et al., NeurIPS 2020; Rombach et al., CVPR 2022): stages down, a middle, stages up with
// skips between, all conditioned on the timestep. Some stages attend to a text's tokens.
//
// diffusers' UNet2DConditionModel and UNet2DModel (0.42) are shapes of it; unet_2d_condition.h and unet_2d_model.h read
// their configs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/network.h"
#include "model/safetensors.h"
#include "model/unet_blocks.h"

namespace roundtrip::model {

// Table with a row for each of `steps` timesteps, used instead of sinusoids.
struct LearnedTimes {
  int64_t channels = 0, steps = 0;
};

// Pooled text and the sinusoids of the size ids, put through layers of their own and added to the time embedding
// (Podell et al., "SDXL", 2023, section 2.2).
struct AddedEmbedding {
  Sinusoids sinusoids;          // of each of the six size ids
  int64_t pooled_channels = 0;  // of the text
};

struct UNetShape {
  int64_t in_channels = 0, out_channels = 0;
  int64_t kernel_in = 3, kernel_out = 3;
  bool centers_input = false;  // 2 x - 1

  std::variant<Sinusoids, LearnedTimes> times;
  int64_t embedding_channels = 0;  // of the timestep, for all blocks
  int64_t guidance_channels = 0;   // sinusoids of the guidance scale that a distilled network is told; 0: of none
  Activation embedding_activation = Activation::kSilu;
  std::optional<Activation> embedding_last;  // after the timestep's second layer
  std::optional<Activation> embedding_sum;   // after everything that is added to it
  std::optional<AddedEmbedding> added;

  int64_t context_channels = 0;             // of the tokens as given; 0 if no stage reads them
  std::optional<int64_t> projected_tokens;  // width that they are projected to before stages read them

  Activation activation = Activation::kSilu;      // in residual blocks
  Activation activation_out = Activation::kSilu;  // before the last convolution
  int64_t norm_groups = 32;
  double norm_eps = 1e-5;

  std::vector<StageShape> down;  // fine to coarse
  std::optional<StageShape> mid;
  std::vector<StageShape> up;  // coarse to fine

  std::array<int64_t, 2> sample_size{};
};

class UNet : public Network {
 public:
  // Throws kInput for weights that do not fit.
  UNet(const UNetShape& shape, WeightSource weights, at::TensorOptions options);
  ~UNet() override;

  // Accepts any height and width that leave the coarsest stage at least one pixel.
  at::Tensor predict(const diffusion::Batch& batch) const override;

  const Facts& facts() const override { return facts_; }
  std::vector<diffusion::Site> attention_sites(int64_t h, int64_t w) const override;
  std::vector<std::string> resnets() const override;
  bool takes_plans() const override;

 private:
  struct Layers;
  Facts facts_;
  std::unique_ptr<const Layers> layers_;
};

}  // namespace roundtrip::model
