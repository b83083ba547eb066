// CLIP's text transformer (Radford et al., ICML 2021): token ids in, hidden states and a pooled vector out.
//
// It follows transformers' CLIPTextModel and CLIPTextModelWithProjection (5.x), with no mask but the causal one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "model/activation.h"
#include "model/attention.h"
#include "model/json_config.h"
#include "model/layers.h"
#include "model/safetensors.h"

namespace roundtrip::model {

class ClipText {
 public:
  struct Output {
    Tensor last;         // [N, L, D] after the last layer and the final norm
    Tensor penultimate;  // [N, L, D] before the last layer, unnormalised
    Tensor end;          // [N, D] `last` at the end token
    Tensor pooled;       // [N, P] `end`, projected; undefined without a projection
  };

  // Builds a CLIPTextModelWithProjection if the config's `architectures` says so. Throws kInput for a config or weights
  // that do not fit.
  ClipText(JsonConfig config, WeightSource weights, at::TensorOptions options);

  Output operator()(const Tensor& ids) const;  // int64 [N, L]

  int64_t channels() const { return channels_; }      // D
  int64_t max_length() const { return max_length_; }  // L at most
  int64_t vocabulary() const { return vocabulary_; }  // ids are in [0, vocabulary)
  int64_t pooled_channels() const { return projection_ ? projection_->weight.size(0) : 0; }  // P

 private:
  Tensor end_positions(const Tensor& ids) const;  // [N, L] -> [N]

  struct Layer {
    LayerNorm norm1, norm2;
    SelfAttention attention;
    Linear fc1, fc2;
  };

  int64_t channels_, max_length_, vocabulary_;
  int64_t end_id_ = 0;
  Activation activation_;
  Tensor token_embedding_, position_embedding_;  // [V, D], [L, D]
  std::vector<Layer> layers_;
  LayerNorm final_norm_;
  std::optional<Linear> projection_;
};

}  // namespace roundtrip::model
