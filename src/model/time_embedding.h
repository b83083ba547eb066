// Embedding of the timestep: sinusoids (Ho et al., NeurIPS 2020, after Vaswani et al.), two linear layers, and one
// projection for each residual block.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "model/activation.h"
#include "model/layers.h"

namespace roundtrip::model {

// [sin(t f_k), cos(t f_k)] with f_k = 10000^(-k / (half - frequency_shift)), k < half. `cosine_first` swaps the two
// halves. An odd `channels` ends with a zero.
struct Sinusoids {
  int64_t channels = 0;
  bool cosine_first = true;
  double frequency_shift = 0;

  Tensor operator()(const Tensor& t) const;  // [N] -> float32 [N, channels]
};

// Two linear layers with an activation between them, and one after them if the config has it.
struct EmbeddingLayers {
  Linear linear1, linear2;
  Activation activation;
  std::optional<Activation> last;

  EmbeddingLayers(const WeightScope& weights, int64_t in, int64_t out, Activation activation = Activation::kSilu,
                  std::optional<Activation> last = std::nullopt);
  Tensor operator()(const Tensor& x) const;  // [N, in] -> [N, out]
};

// Additions to the channels of the residual blocks: all blocks' projections of act(embedding) in one matrix product.
// Blocks register while the network is built and keep their slot.
class TimeProjections {
 public:
  TimeProjections(int64_t embedding_channels, Activation activation)
      : embedding_channels_(embedding_channels), activation_(activation) {}

  size_t add(const WeightScope& weights, int64_t out);
  void finish();  // after the last add

  std::vector<Tensor> operator()(Tensor&& embedding) const;  // [N, channels] -> for each slot [N, out, 1, 1]

 private:
  int64_t embedding_channels_;
  Activation activation_;
  std::vector<Linear> parts_;
  std::vector<int64_t> widths_;
  Linear all_;
};

}  // namespace roundtrip::model
