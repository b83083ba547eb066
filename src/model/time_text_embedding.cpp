#include "model/time_text_embedding.h"

namespace roundtrip::model {

TimeTextEmbedding::TimeTextEmbedding(const WeightScope& weights, int64_t pooled_channels, int64_t channels,
                                     bool told_guidance)
    : time(weights / "timestep_embedder", kTimeChannels, channels),
      text(weights / "text_embedder", pooled_channels, channels) {
  if (told_guidance) guidance.emplace(weights / "guidance_embedder", kTimeChannels, channels);
}

Tensor TimeTextEmbedding::operator()(const Tensor& t, const Tensor& scale, const Tensor& pooled) const {
  const Sinusoids sinusoids{.channels = kTimeChannels};
  Tensor sum = time(sinusoids(t));
  if (guidance) sum = sum + (*guidance)(sinusoids(scale));
  return silu(sum + text(pooled));
}

}  // namespace roundtrip::model
