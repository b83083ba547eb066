// T5's encoder (Raffel et al., JMLR 2020): token ids in, hidden states out.
//
// It follows transformers' T5EncoderModel (5.x) without an attention mask, which is how SD3 and FLUX call it. Attention
// is not scaled by the width of a head, and every layer adds the same bias, learned for buckets of distances. In half
// precision the last projection of each feed-forward layer stays in float32, as in transformers.
#pragma once

#include <cstdint>
#include <vector>

#include "model/activation.h"
#include "model/json_config.h"
#include "model/layers.h"
#include "model/safetensors.h"

namespace roundtrip::model {

class T5Encoder {
 public:
  // Throws kInput for a config or weights that do not fit.
  T5Encoder(JsonConfig config, WeightSource weights, at::TensorOptions options);

  // The last hidden states after the final norm.
  Tensor operator()(const Tensor& ids) const;  // int64 [N, L] -> [N, L, D]

  int64_t channels() const { return channels_; }      // D
  int64_t vocabulary() const { return vocabulary_; }  // ids are in [0, vocabulary)

 private:
  struct Layer {
    RmsNorm attention_norm, feed_forward_norm;
    Linear qkv, attention_out;
    std::vector<Linear> in;  // the value's, after the gate's if there is one
    Linear out;
  };

  Tensor bias(int64_t length) const;  // [1, heads, L, L]
  Tensor attended(const Layer& layer, const Tensor& x, const Tensor& bias) const;
  Tensor fed_forward(const Layer& layer, const Tensor& x) const;

  int64_t channels_, vocabulary_, heads_, head_channels_, buckets_, max_distance_;
  bool is_gated_ = true;
  Tensor embedding_;        // [V, D]
  Tensor distance_biases_;  // [buckets, heads]
  std::vector<Layer> layers_;
  RmsNorm final_norm_;
};

// The bucket of each distance key - query between L tokens: half of them for either sign, each half exact up to its
// half and logarithmic up to `max_distance` beyond.
Tensor distance_buckets(int64_t length, int64_t buckets, int64_t max_distance, at::Device device);  // int64 [L, L]

}  // namespace roundtrip::model
