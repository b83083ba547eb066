#include "model/size_ids.h"

#include <utility>

namespace roundtrip::model {
namespace {

using at::Tensor;

class Sized : public diffusion::Denoiser {
 public:
  Sized(std::unique_ptr<diffusion::Denoiser> network, int64_t pixels_per_latent)
      : network_(std::move(network)), pixels_per_latent_(pixels_per_latent) {}

  Tensor eps(const Tensor& x, const Tensor& t, const diffusion::Conditioning& conditioning) override {
    if (conditioning.size_ids.defined()) return network_->eps(x, t, conditioning);
    const int64_t height = x.size(2) * pixels_per_latent_, width = x.size(3) * pixels_per_latent_;
    diffusion::Conditioning sized = conditioning;
    // Original height and width, top and left of the crop, target height and width.
    sized.size_ids =
        at::tensor({height, width, int64_t{0}, int64_t{0}, height, width}, at::kLong).expand({x.size(0), 6});  // [R, 6]
    return network_->eps(x, t, sized);
  }

 private:
  std::unique_ptr<diffusion::Denoiser> network_;
  int64_t pixels_per_latent_;
};

}  // namespace

std::unique_ptr<diffusion::Denoiser> with_size_ids(std::unique_ptr<diffusion::Denoiser> network,
                                                   int64_t pixels_per_latent) {
  return std::make_unique<Sized>(std::move(network), pixels_per_latent);
}

}  // namespace roundtrip::model
