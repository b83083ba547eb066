// The timestep as the layers see it: sinusoids (Ho et al., NeurIPS 2020, after Vaswani et al.), two linear
// layers, and one projection for each residual block.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "model/layers.h"

namespace roundtrip::model {

// [sin(t f_k), cos(t f_k)] with f_k = 10000^(-k / (half - frequency_shift)), k < half; the two halves change
// places where `cosine_first`. An odd `channels` ends with a zero.
struct Sinusoids {
  int64_t channels = 0;
  bool cosine_first = true;
  double frequency_shift = 0;

  Tensor operator()(const Tensor& t) const;  // [N] -> float32 [N, channels]
};

struct TimeEmbedding {
  Sinusoids sinusoids;
  Linear linear1, linear2;

  TimeEmbedding(const WeightScope& weights, Sinusoids sinusoids, int64_t channels);
  Tensor operator()(const Tensor& t) const;  // [N] -> [N, channels]
};

// What every residual block adds to its channels: all blocks' projections of silu(embedding) in one matrix
// product. Blocks register while the network is built and keep their slot.
class TimeProjections {
 public:
  explicit TimeProjections(int64_t embedding_channels) : embedding_channels_(embedding_channels) {}

  size_t add(const WeightScope& weights, int64_t out);
  void finish();  // after the last add

  std::vector<Tensor> operator()(Tensor&& embedding) const;  // [N, channels] -> for each slot [N, out, 1, 1]

 private:
  int64_t embedding_channels_;
  std::vector<Linear> parts_;
  std::vector<int64_t> widths_;
  Linear all_;
};

}  // namespace roundtrip::model
