#include "session/pixels.h"

#include <vector>

namespace roundtrip::session {
namespace {

Tensor unit(const Tensor& pixels) { return (pixels.to(at::kCPU, at::kFloat) / 2 + 0.5).clamp(0, 1); }

Tensor bytes_of(const Tensor& values) { return values.to(at::kByte).permute({1, 2, 0}).contiguous(); }

}  // namespace

Tensor to_pixels(const data::Image& image, const at::TensorOptions& options) {
  const Tensor bytes = at::from_blob(const_cast<uint8_t*>(image.rgb.data()), {image.height, image.width, 3}, at::kByte);
  const Tensor planes = bytes.permute({2, 0, 1}).contiguous().to(c10::typeMetaToScalarType(options.dtype()));
  return (planes / 127.5 - 1).to(options.device());
}

Tensor to_bytes(const Tensor& pixels) { return bytes_of((unit(pixels) * 255).round()); }

Tensor to_bytes_cut_off(const Tensor& pixels) { return bytes_of(unit(pixels) * 255); }

Tensor map_bytes(const Tensor& maps, int64_t height, int64_t width) {
  const Tensor planes = maps.to(at::kCPU, at::kFloat).reshape({1, -1, maps.size(-2), maps.size(-1)});
  std::vector<int64_t> shape(maps.sizes().begin(), maps.sizes().end() - 2);
  shape.insert(shape.end(), {height, width});
  const Tensor sized = at::upsample_nearest2d(planes, {height, width}).reshape(shape);
  return (sized.clamp(0, 1) * 255).round().to(at::kByte).contiguous();
}

}  // namespace roundtrip::session
