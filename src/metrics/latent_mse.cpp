// latent_mse: the loss of the diffusion process alone, before the codec adds its share.
#include "metrics/metric.h"
#include "metrics/mse.h"

namespace roundtrip::metrics {
namespace {

class LatentMse : public Metric {
 public:
  using Metric::Metric;

  Tensor score(const Inputs& inputs) override { return mean_squared_error(inputs.x0, inputs.x); }
};

const Registered<Metric, LatentMse> latent_mse({.name = "latent_mse",
                                                .label = "latent MSE",
                                                .long_name = "mean squared error over the scaled latent",
                                                .version = "1",
                                                .wants = {.latents = true},
                                                .digits = 5,
                                                .log_axis = true});

}  // namespace
}  // namespace roundtrip::metrics
