#include "model/size_ids.h"

#include <utility>

namespace roundtrip::model {
namespace {

using at::Tensor;

class Sized : public diffusion::Denoiser {
 public:
  Sized(std::unique_ptr<diffusion::Denoiser> network, int64_t pixels_per_latent)
      : network_(std::move(network)), pixels_per_latent_(pixels_per_latent) {}

  Tensor out(const diffusion::Batch& batch) override {
    if (batch.conditioning.size_ids.defined()) return network_->out(batch);
    const int64_t height = batch.x.size(2) * pixels_per_latent_, width = batch.x.size(3) * pixels_per_latent_;
    diffusion::Batch sized = batch;
    // Original height and width, top and left of the crop, target height and width.
    sized.conditioning.size_ids =
        at::tensor({height, width, int64_t{0}, int64_t{0}, height, width}, at::kLong).expand({batch.x.size(0), 6});
    return network_->out(sized);
  }
  diffusion::Out predicts() const override { return network_->predicts(); }
  bool takes_plans() const override { return network_->takes_plans(); }
  std::vector<diffusion::Site> attention_sites(int64_t h, int64_t w) const override {
    return network_->attention_sites(h, w);
  }
  std::vector<std::string> resnets() const override { return network_->resnets(); }

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
