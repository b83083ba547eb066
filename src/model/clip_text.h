// CLIP's text transformer (Radford et al., ICML 2021): token ids in, the last hidden state after the final
// norm out.
//
// As transformers' CLIPTextModel with no mask but the causal one. Not here: the pooled vector and the
// projection.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "model/attention.h"
#include "model/json_config.h"
#include "model/layers.h"
#include "model/safetensors.h"

namespace roundtrip::model {

class ClipText {
 public:
  // Throws kInput for a config or weights that do not fit.
  ClipText(JsonConfig config, WeightSource weights, at::TensorOptions options);

  Tensor operator()(const Tensor& ids) const;  // int64 [N, L] -> [N, L, D]

  int64_t channels() const { return channels_; }      // D
  int64_t max_length() const { return max_length_; }  // L at most
  int64_t vocabulary() const { return vocabulary_; }  // ids lie in [0, vocabulary)

 private:
  enum class Activation { kQuickGelu, kGelu };
  struct Layer {
    LayerNorm norm1, norm2;
    SelfAttention attention;
    Linear fc1, fc2;
  };

  int64_t channels_, max_length_, vocabulary_;
  Activation activation_;
  Tensor token_embedding_, position_embedding_;  // [V, D], [L, D]
  std::vector<Layer> layers_;
  LayerNorm final_norm_;
};

}  // namespace roundtrip::model
