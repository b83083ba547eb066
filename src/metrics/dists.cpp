// dists: Ding et al., "Image Quality Assessment: Unifying Structure and Texture Similarity", IEEE TPAMI 2020, eq. 5, by
// a TorchScript module (a, b) -> [N] on [0, 1].
//
// It compares means (texture) and correlations (structure) of VGG-16's feature maps, so that two samples of one texture
// are close though their pixels differ. scripts/get_metric and scripts/export_dists.py write the module, whose extra
// file dists.json has the digests of its weights. Pictures are compared at their own size; the authors' demo shrinks
// large ones to 256 pixels.
#include <fmt/format.h>

#include "metrics/module_metric.h"

namespace roundtrip::metrics {
namespace {

class Dists : public ModuleMetric {
 public:
  Dists(const MetricInfo& info, const config::Params& params, at::Device device)
      : ModuleMetric(info, params, device,
                     {.note = "dists.json", .expected = "a module written by scripts/get_metric or export_dists.py"}) {
    if (!module_) return;
    info_.version = fmt::format("{}, trunk {:.12}, weights {:.12}", module_->noted("network"),
                                module_->noted("trunk_sha256"), module_->noted("weights_sha256"));
    const Tensor image = at::linspace(0, 1, 2 * 3 * 64 * 64, at::kFloat).reshape({2, 3, 64, 64}).to(device);
    check_distance(*module_, answer({image, image}, {2}), kRounding);
  }

 private:
  // Similarities of equal pictures sum to 1 up to the rounding of 1475 channels.
  static constexpr double kRounding = 1e-4;

  Tensor score_by_module(const Inputs& inputs) override {
    return answer({inputs.reference.to(at::kFloat), inputs.test.to(at::kFloat)}, {inputs.test.size(0)});
  }
};

const Registered<Metric, Dists> dists({.name = "dists",
                                       .label = "DISTS",
                                       .long_name = "deep image structure and texture similarity of VGG-16 features",
                                       .has_floor = true,
                                       .background = Background::kComposite,
                                       .perceptual = true,
                                       .order = 5,
                                       .module_name = [](const config::Params&) -> std::string { return "dists"; }});

}  // namespace
}  // namespace roundtrip::metrics
