// The embedding of time, pooled text and, in a distilled network, the guidance scale: the sum of what layers of their
// own make of each (diffusers' CombinedTimestepTextProjEmbeddings and CombinedTimestepGuidanceTextProjEmbeddings).
#pragma once

#include <cstdint>
#include <optional>

#include "model/time_embedding.h"

namespace roundtrip::model {

inline constexpr int64_t kTimeChannels = 256;  // of the sinusoids

struct TimeTextEmbedding {
  EmbeddingLayers time, text;
  std::optional<EmbeddingLayers> guidance;

  TimeTextEmbedding(const WeightScope& weights, int64_t pooled_channels, int64_t channels, bool told_guidance);

  // t [N] and guidance [N], both on the scale of the sinusoids; pooled [N, P] -> silu of the sum [N, C]: all that reads
  // it does so after silu. `guidance` is not read where the network is not told it.
  Tensor operator()(const Tensor& t, const Tensor& guidance, const Tensor& pooled) const;
};

}  // namespace roundtrip::model
