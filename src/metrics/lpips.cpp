// lpips: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
// by a TorchScript module (a, b) -> [N] on [-1, 1].
//
// scripts/export_lpips.py writes such a module and notes in it, in the extra file lpips.json, which network
// it holds: LPIPS of an unknown network compares with nothing, so a module without that note is refused.
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "metrics/metric.h"
#include "metrics/noted_module.h"

namespace roundtrip::metrics {
namespace {

class Lpips : public Metric {
 public:
  explicit Lpips(const MetricOptions& options) {
    info_ = {.name = "lpips",
             .units = "",
             .long_name = "learned perceptual image patch similarity",
             .direction = Direction::kLowerIsBetter,
             .version = "",
             .on_latents = false};
    if (!options.lpips_path.empty()) load(options);
  }

  const MetricInfo& info() const override { return info_; }

  std::string unavailable() const override {
    if (module_) return {};
    return "lpips: lpips.path is empty, so the column will be NaN; a module is written by: "
           "scripts/export_lpips.py "
           "--net squeeze --trunk FILE --heads FILE -o lpips_squeeze.pt (--help says where the files are)";
  }

  Tensor score(const Tensor& reference, const Tensor& test) override {
    check_pair(reference, test);
    if (!module_) return at::full({reference.size(0)}, std::nan(""), reference.options().dtype(at::kDouble));
    if (reference.size(0) == 0) return at::empty({0}, reference.options().dtype(at::kDouble));
    return forward(2 * reference.to(at::kFloat) - 1, 2 * test.to(at::kFloat) - 1).to(at::kDouble);
  }

 private:
  void load(const MetricOptions& options) {
    module_.emplace(
        options.lpips_path, options.device,
        NotedModule::Names{
            .key = "lpips.path", .note = "lpips.json", .expected = "a module written by scripts/export_lpips.py"});
    const std::string net = module_->noted("net");
    info_.long_name = fmt::format("learned perceptual image patch similarity, {} network, inputs on [-1, 1]", net);
    info_.version = fmt::format("{} {}, trunk {:.12}, heads {:.12}", module_->noted("version"), net,
                                module_->noted("trunk_sha256"), module_->noted("heads_sha256"));
    try_out(options.device);
  }

  // Equal images are 0 apart, or the module is something else.
  void try_out(at::Device device) {
    const Tensor image = at::linspace(-1, 1, 2 * 3 * 32 * 32, at::kFloat).reshape({2, 3, 32, 32}).to(device);
    const Tensor distance = forward(image, image);
    if (!distance.eq(0).all().item<bool>()) throw module_->complaint("its module does not find equal images 0 apart");
  }

  // [N, 3, H, W] on [-1, 1] twice -> [N]
  Tensor forward(const Tensor& a, const Tensor& b) {
    const Tensor distance = (*module_)({a, b});
    if (distance.sizes() != at::IntArrayRef{a.size(0)}) {
      throw module_->complaint(fmt::format("its module answers {}", shape_text(distance.sizes())),
                               fmt::format("[{}]", a.size(0)));
    }
    return distance;
  }

  MetricInfo info_;
  std::optional<NotedModule> module_;
};

const MetricRegistration registration{"lpips",
                                      [](const MetricOptions& options) { return std::make_unique<Lpips>(options); }};

}  // namespace
}  // namespace roundtrip::metrics
