#include "inversion/problem.h"

#include "inversion/guided.h"

namespace roundtrip::inversion {

NoiseSource counter_noise(int64_t seed, std::string sample) {
  return [seed, sample = std::move(sample)](NoisePurpose purpose, int i, const Tensor& like) {
    const NoiseKey key{.seed = seed, .sample = sample, .purpose = purpose, .step = i};
    if (like.scalar_type() == at::kDouble) {
      Tensor noise = at::empty(like.sizes(), at::kDouble);
      fill_normal(std::span(noise.mutable_data_ptr<double>(), noise.numel()), key);
      return noise.to(like.device());
    }
    Tensor noise = at::empty(like.sizes(), at::kFloat);
    fill_normal(std::span(noise.mutable_data_ptr<float>(), noise.numel()), key);
    return noise.to(like.options());
  };
}

Guided Problem::inverting() const { return {*this, CfgPair{source, null}, invert_w()}; }

Guided Problem::sampling(Conditioning conditioning) const {
  return {*this, CfgPair{std::move(conditioning), null}, w()};
}

}  // namespace roundtrip::inversion
