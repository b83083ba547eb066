// latent_mse: what the diffusion process alone lost, before the codec adds its share.
#include "metrics/metric.h"
#include "metrics/mse.h"

namespace roundtrip::metrics {
namespace {

class LatentMse : public Metric {
 public:
  const MetricInfo& info() const override {
    static const MetricInfo info{.name = "latent_mse",
                                 .units = "",
                                 .long_name = "mean squared error over the scaled latent",
                                 .direction = Direction::kLowerIsBetter,
                                 .version = "1",
                                 .on_latents = true};
    return info;
  }

  Tensor score(const Tensor& reference, const Tensor& test) override { return mean_squared_error(reference, test); }
};

const MetricRegistration registration{"latent_mse", [](const MetricOptions&) { return std::make_unique<LatentMse>(); }};

}  // namespace
}  // namespace roundtrip::metrics
