#include "model/rotary_embedding.h"

namespace roundtrip::model {

using at::Tensor;

RotaryEmbedding::RotaryEmbedding(const Tensor& positions, const std::vector<int64_t>& channels) {
  constexpr double kBase = 10000;
  std::vector<Tensor> angles;
  for (size_t axis = 0; axis < channels.size(); ++axis) {
    const Tensor exponents = at::arange(0, channels[axis], 2, positions.options()) / channels[axis];
    angles.push_back(at::outer(positions.select(1, static_cast<int64_t>(axis)), at::pow(kBase, -exponents)));
  }
  const Tensor all = at::cat(angles, 1).unsqueeze(1);  // [T, 1, d / 2]
  cosines_ = all.cos().to(at::kFloat);
  sines_ = all.sin().to(at::kFloat);
}

Tensor RotaryEmbedding::operator()(const Tensor& x) const {
  const at::ScalarType wide = at::promote_types(x.scalar_type(), at::kFloat);
  const std::vector<Tensor> pair = x.to(wide).unflatten(-1, {-1, 2}).unbind(-1);
  const Tensor turned = at::stack({pair[0] * cosines_ - pair[1] * sines_, pair[1] * cosines_ + pair[0] * sines_}, -1);
  return turned.flatten(-2).to(x.scalar_type());
}

Tensor text_and_picture_positions(int64_t L, int64_t h, int64_t w, at::Device device) {
  const at::TensorOptions options = at::dtype(at::kDouble).device(device);
  const Tensor rows = at::arange(h, options).unsqueeze(1).expand({h, w}).flatten();
  const Tensor columns = at::arange(w, options).unsqueeze(0).expand({h, w}).flatten();
  const Tensor picture = at::stack({at::zeros({h * w}, options), rows, columns}, 1);
  return at::cat({at::zeros({L, 3}, options), picture});
}

}  // namespace roundtrip::model
