// lpips: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
// by a TorchScript module (a, b) -> [N] on [-1, 1].
//
// scripts/get_metric and scripts/export_lpips.py write such modules and record the name of the network in the extra
// file lpips.json. LPIPS of an unknown network cannot be compared with anything, so a module without that file is
// refused, and so is a module of another network than metric.lpips.net asks for.
#include <fmt/format.h>

#include "metrics/module_metric.h"

namespace roundtrip::metrics {
namespace {

// Papers report alex or vgg; PIE-Bench's code uses squeeze.
std::string net_of(const config::Params& params) {
  return params.get_string_or("net", "squeeze", {"alex", "squeeze", "vgg"});
}

class Lpips : public ModuleMetric {
 public:
  Lpips(const MetricInfo& info, const config::Params& params, at::Device device)
      : ModuleMetric(info, params, device,
                     {.note = "lpips.json", .expected = "a module written by scripts/get_metric or export_lpips.py"}) {
    const std::string wanted = net_of(params);
    if (!module_) return;
    const std::string net = module_->noted("net");
    if (asks_for_network(params)) check_network(net, wanted);
    info_.long_name = fmt::format("learned perceptual image patch similarity, {} network, inputs on [-1, 1]", net);
    info_.version = fmt::format("{} {}, trunk {:.12}, heads {:.12}", module_->noted("version"), net,
                                module_->noted("trunk_sha256"), module_->noted("heads_sha256"));
    const Tensor image = at::linspace(-1, 1, 2 * 3 * 32 * 32, at::kFloat).reshape({2, 3, 32, 32}).to(device);
    check_distance(*module_, distance(image, image), 0);
  }

 private:
  Tensor score_by_module(const Inputs& inputs) override {
    return distance(2 * inputs.reference.to(at::kFloat) - 1, 2 * inputs.test.to(at::kFloat) - 1);
  }

  // [N, 3, H, W] on [-1, 1] twice -> [N]
  Tensor distance(const Tensor& a, const Tensor& b) { return answer({a, b}, {a.size(0)}); }
};

const Registered<Metric, Lpips> lpips({.name = "lpips",
                                       .label = "LPIPS",
                                       .long_name = "learned perceptual image patch similarity",
                                       .has_floor = true,
                                       .background = Background::kComposite,
                                       .perceptual = true,
                                       .order = 5,
                                       .module_name = [](const config::Params& params) {
                                         return "lpips-" + net_of(params);
                                       }});

}  // namespace
}  // namespace roundtrip::metrics
