// UNet2DConditionModel of the Stable Diffusion 1.x family (Rombach et al., CVPR 2022), as diffusers 0.42
// computes it.
//
// Reads every key of the config; one that would change the arithmetic and is not implemented here is an
// error. Not here: class and added embeddings (SDXL), GLIGEN, ControlNet and adapter residuals, the blocks
// named Simple, K and Resnet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "diffusion/denoiser.h"
#include "model/json_config.h"
#include "model/safetensors.h"

namespace roundtrip::model {

class UNet2DCondition : public diffusion::Denoiser {
 public:
  // What the rest of a model folder has to agree with.
  struct Facts {
    int64_t in_channels = 0, out_channels = 0;
    int64_t sample_size = 0;       // 0 where the config does not say
    int64_t context_channels = 0;  // of the text's tokens; 0 without attention
  };

  // Throws kInput for a config or weights that do not fit.
  UNet2DCondition(JsonConfig config, WeightSource weights, at::TensorOptions options);
  ~UNet2DCondition() override;

  // What the network predicts: eps, v or the sample, in the dtype of x. Any height and width from the
  // coarsest stage's one pixel up. Rows do not see each other.
  at::Tensor eps(const at::Tensor& x, const at::Tensor& t, const diffusion::Conditioning& conditioning) override;

  const Facts& facts() const { return facts_; }

 private:
  struct Layers;
  Facts facts_;
  std::unique_ptr<const Layers> layers_;
};

}  // namespace roundtrip::model
