// lpips: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
// by a TorchScript module (a, b) -> [N] on [-1, 1].
//
// scripts/export_lpips.py writes such a module and records the name of its network in the extra file lpips.json. LPIPS
// of an unknown network cannot be compared with anything, so a module without that file is refused.
#include <fmt/format.h>

#include "metrics/module_metric.h"

namespace roundtrip::metrics {
namespace {

class Lpips : public ModuleMetric {
 public:
  Lpips(const MetricInfo& info, const config::Params& params, at::Device device)
      : ModuleMetric(
            info, params, device,
            {.note = "lpips.json",
             .expected = "a module written by scripts/export_lpips.py",
             .remedy = "a module is written by: scripts/export_lpips.py --net squeeze --trunk FILE --heads FILE "
                       "-o lpips_squeeze.pt (--help says where the files are)"}) {
    if (!module_) return;
    const std::string net = module_->noted("net");
    info_.long_name = fmt::format("learned perceptual image patch similarity, {} network, inputs on [-1, 1]", net);
    info_.version = fmt::format("{} {}, trunk {:.12}, heads {:.12}", module_->noted("version"), net,
                                module_->noted("trunk_sha256"), module_->noted("heads_sha256"));
    try_out(device);
  }

 private:
  Tensor score_by_module(const Inputs& inputs) override {
    return distance(2 * inputs.reference.to(at::kFloat) - 1, 2 * inputs.test.to(at::kFloat) - 1);
  }

  // Checks that equal images have distance 0; otherwise the module is something else.
  void try_out(at::Device device) {
    const Tensor image = at::linspace(-1, 1, 2 * 3 * 32 * 32, at::kFloat).reshape({2, 3, 32, 32}).to(device);
    if (!distance(image, image).eq(0).all().item<bool>()) {
      throw module_->complaint("its module does not find equal images 0 apart");
    }
  }

  // [N, 3, H, W] on [-1, 1] twice -> [N]
  Tensor distance(const Tensor& a, const Tensor& b) { return answer({a, b}, {a.size(0)}); }
};

const Registered<Metric, Lpips> lpips({.name = "lpips",
                                       .label = "LPIPS",
                                       .long_name = "learned perceptual image patch similarity",
                                       .has_floor = true,
                                       .perceptual = true,
                                       .order = 5});

}  // namespace
}  // namespace roundtrip::metrics
