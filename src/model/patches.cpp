#include "model/patches.h"

#include <cmath>

namespace roundtrip::model {
namespace {

constexpr int64_t kPacked = 2;

// [T] -> [T, channels]: sines, then cosines.
Tensor sincos(const Tensor& positions, int64_t channels) {
  const int64_t half = channels / 2;
  const Tensor exponents = at::arange(half, positions.options()) / static_cast<double>(half);
  const Tensor angles = at::outer(positions, at::pow(10000.0, -exponents));
  return at::cat({angles.sin(), angles.cos()}, 1);
}

// Positions 0 .. n - 1 on a scale where a side has `base` of them; divided in float32, as diffusers does.
Tensor scaled_positions(int64_t n, int64_t base, at::Device device) {
  const double ratio = static_cast<double>(n) / static_cast<double>(base);
  return (at::arange(n, at::dtype(at::kFloat).device(device)) / ratio).to(at::kDouble);
}

}  // namespace

Tensor from_patches(const Tensor& tokens, int64_t h, int64_t w, int64_t patch) {
  return tokens.unflatten(2, {patch, patch, -1})
      .unflatten(1, {h / patch, w / patch})
      .permute({0, 5, 1, 3, 2, 4})  // [N, C, h/p, p, w/p, p]
      .reshape({tokens.size(0), -1, h, w});
}

Tensor packed(const Tensor& picture) {
  return picture.unflatten(3, {-1, kPacked})
      .unflatten(2, {-1, kPacked})
      .permute({0, 2, 4, 1, 3, 5})  // [N, h/2, w/2, C, 2, 2]
      .flatten(3)
      .flatten(1, 2);
}

Tensor unpacked(const Tensor& tokens, int64_t h, int64_t w) {
  return tokens.unflatten(2, {-1, kPacked, kPacked})
      .unflatten(1, {h / kPacked, w / kPacked})
      .permute({0, 3, 1, 4, 2, 5})  // [N, C, h/2, 2, w/2, 2]
      .reshape({tokens.size(0), -1, h, w});
}

PatchEmbedding::PatchEmbedding(const WeightScope& weights, int64_t in, int64_t channels, int64_t patch)
    : projection(weights / "proj", in, channels, {.kernel = patch, .stride = patch, .padding = 0}) {}

Tensor PatchEmbedding::operator()(const Tensor& picture) const {
  return to_tokens(projection(picture.contiguous(at::MemoryFormat::ChannelsLast))).contiguous();
}

Tensor sincos_positions(int64_t channels, int64_t h, int64_t w, int64_t base, at::Device device) {
  const Tensor rows = scaled_positions(h, base, device).unsqueeze(1).expand({h, w}).flatten();
  const Tensor columns = scaled_positions(w, base, device).unsqueeze(0).expand({h, w}).flatten();
  return at::cat({sincos(columns, channels / 2), sincos(rows, channels / 2)}, 1).to(at::kFloat);
}

}  // namespace roundtrip::model
