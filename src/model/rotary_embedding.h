// Rotary position embedding of tokens with several axes (Su et al., "RoFormer", 2021; FLUX's of a picture's rows and
// columns). Neighbouring channels 2k and 2k + 1 form the pair that the angle turns.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace roundtrip::model {

class RotaryEmbedding {
 public:
  // `positions` [T, axes]; `channels` of each axis, even, the head's in sum. The angle of axis a and pair k is
  // position 10000^(-2k / channels[a]), computed in float64, its sine and cosine kept in float32.
  RotaryEmbedding(const at::Tensor& positions, const std::vector<int64_t>& channels);

  at::Tensor operator()(const at::Tensor& x) const;  // [N, T, heads, d], turned in float32 at least

 private:
  at::Tensor cosines_, sines_;  // [T, 1, d / 2]
};

// The positions of L text tokens, all zero, followed by those of a picture's h x w tokens: (0, row, column).
at::Tensor text_and_picture_positions(int64_t L, int64_t h, int64_t w, at::Device device);  // [L + h w, 3] float64

}  // namespace roundtrip::model
