#include "model/prediction.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace roundtrip::model {
namespace {

using at::Tensor;

class EpsOf : public diffusion::Denoiser {
 public:
  EpsOf(std::unique_ptr<Network> network, const diffusion::NoiseSchedule& schedule)
      : network_(std::move(network)), prediction_(schedule.config().prediction) {
    std::vector<double> alpha_bars;
    for (int t = 0; t < schedule.train_steps(); ++t) {
      alpha_bars.push_back(std::max(schedule.alpha_bar(t), diffusion::kMinAlphaBar));
    }
    alpha_bars_ = at::tensor(alpha_bars, at::kDouble);
  }

  Tensor out(const diffusion::Batch& batch) override {
    Tensor predicted = network_->predict(batch);
    if (prediction_ == diffusion::Prediction::kEpsilon) return predicted;
    const Tensor& x = batch.x;
    const Tensor alpha_bar =
        alpha_bars_.index_select(0, batch.t.cpu().to(at::kLong)).view({-1, 1, 1, 1});  // [R, 1, 1, 1]
    const Tensor a = alpha_bar.sqrt().to(x.options());
    const Tensor s = (1 - alpha_bar).sqrt().to(x.options());
    return prediction_ == diffusion::Prediction::kV ? a * predicted + s * x : (x - a * predicted) / s;
  }
  bool takes_plans() const override { return network_->takes_plans(); }
  std::vector<diffusion::Site> attention_sites(int64_t h, int64_t w) const override {
    return network_->attention_sites(h, w);
  }
  std::vector<std::string> resnets() const override { return network_->resnets(); }

 private:
  std::unique_ptr<Network> network_;
  diffusion::Prediction prediction_;
  Tensor alpha_bars_;  // [T], float64
};

class VelocityOf : public diffusion::Denoiser {
 public:
  explicit VelocityOf(std::unique_ptr<Network> network) : network_(std::move(network)) {}

  Tensor out(const diffusion::Batch& batch) override { return network_->predict(batch); }
  diffusion::Out predicts() const override { return diffusion::Out::kVelocity; }

 private:
  std::unique_ptr<Network> network_;
};

}  // namespace

std::unique_ptr<diffusion::Denoiser> as_velocity(std::unique_ptr<Network> network) {
  return std::make_unique<VelocityOf>(std::move(network));
}

std::unique_ptr<diffusion::Denoiser> as_eps(std::unique_ptr<Network> network,
                                            const diffusion::ScheduleConfig& schedule) {
  return std::make_unique<EpsOf>(std::move(network), diffusion::NoiseSchedule(schedule));
}

}  // namespace roundtrip::model
