// The 64-D Gaussian mixture of golden/theory as a rectified flow, in float64.
#pragma once

#include "base/json.h"
#include "support/flow_grid.h"
#include "support/mixture.h"

namespace roundtrip::testing {

// Velocity E[n - x0 | x] of data from an equal-weight mixture of isotropic Gaussians, at x = (1 - sigma) x0 + sigma n.
// A latent [C, h, D] is C h points of the mixture.
class FlowMixtureDenoiser : public diffusion::Denoiser {
 public:
  FlowMixtureDenoiser(Tensor means, double variance) : means_(std::move(means)), variance_(variance) {}

  Tensor out(const diffusion::Batch& batch) override {
    ++batches;
    const Tensor& x = batch.x;
    const Tensor sigma = (batch.t.to(at::kDouble) / 1000).view({-1, 1, 1, 1, 1}), a = 1 - sigma;
    const Tensor spread = a.square() * variance_ + sigma.square();
    const Tensor offset = x.to(at::kDouble).unsqueeze(3) - a * means_;  // [R, C, h, K, D]
    const Tensor r = at::softmax(-offset.square().sum(-1, true) / (2 * spread), 3);
    const Tensor v = (sigma - a * variance_) / spread * offset - means_;  // of each Gaussian
    return (r * v).sum(3).to(x.scalar_type());
  }
  diffusion::Out predicts() const override { return diffusion::Out::kVelocity; }

  int64_t batches = 0;

 private:
  Tensor means_;  // [K, D]
  double variance_;
};

inline FlowMixtureDenoiser flow_mixture() {
  std::vector<Tensor> means;
  for (const auto& mean : theory()["mixture"]["means"]) means.push_back(tensor_of(mean));
  return {at::stack(means), theory()["mixture"]["variance"]};
}

}  // namespace roundtrip::testing
