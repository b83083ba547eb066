// structure_distance: how far an edit changed the layout of its source. Tumanyan et al., "Splicing ViT Features for
// Semantic Appearance Transfer", CVPR 2022, section 3.2, as PIE-Bench reports it: the mean squared difference of two
// self-similarities of DINO keys.
//
// For a picture, K [T, D] are the keys of the last block of DINO ViT-B/8, all heads side by side, one row for the class
// token and one for each patch. Its self-similarity is C = K K^T / max(|k_i| |k_j|, 1e-8), [T, T]. PIE-Bench's tables
// print the distance times 1000; this column does not.
//
// Pictures are prepared here as torchvision's Resize(224, max_size=480) and Normalize do on tensors. The network is a
// TorchScript module (prepared [N, 3, h, w]) -> keys [N, T, D], which scripts/get_metric and
// scripts/export_structure.py write; its extra file structure.json names the network.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "metrics/module_metric.h"

namespace roundtrip::metrics {
namespace {

constexpr int64_t kShorter = 224, kLongest = 480;
constexpr double kLeastNorms = 1e-8;

// Size [h, w] after torchvision's Resize(224, max_size=480): the shorter side becomes 224, unless the longer one would
// exceed 480, which it then becomes. Other lengths are rounded down.
std::pair<int64_t, int64_t> resized(int64_t height, int64_t width) {
  int64_t shorter = kShorter;
  int64_t longer = kShorter * std::max(height, width) / std::min(height, width);
  if (longer > kLongest) {
    shorter = kLongest * shorter / longer;
    longer = kLongest;
  }
  return height <= width ? std::pair(shorter, longer) : std::pair(longer, shorter);
}

// Keys [N, T, D] -> [N, T, T]
Tensor self_similarity(const Tensor& keys) {
  const Tensor norms = keys.norm(2, {2}, /*keepdim=*/true);  // [N, T, 1]
  return at::bmm(keys, keys.mT()) / at::bmm(norms, norms.mT()).clamp_min(kLeastNorms);
}

class StructureDistance : public ModuleMetric {
 public:
  StructureDistance(const MetricInfo& info, const config::Params& params, at::Device device)
      : ModuleMetric(
            info, params, device,
            {.note = "structure.json", .expected = "a module written by scripts/get_metric or export_structure.py"}) {
    antialias_ = params.get_bool_or("antialias", true);
    bytes_ = params.get_string_or("range", "unit", {"unit", "bytes"}) == "bytes";
    mean_ = at::tensor({0.485, 0.456, 0.406}, at::kFloat).reshape({3, 1, 1}).to(device);
    std_ = at::tensor({0.229, 0.224, 0.225}, at::kFloat).reshape({3, 1, 1}).to(device);
    const std::string how =
        fmt::format("{}, range {}", antialias_ ? "antialiased" : "not antialiased", bytes_ ? "0..255" : "0..1");
    info_.long_name += ", resized to 224 " + how;
    if (!module_) return;
    info_.version = fmt::format("1, {} {:.12}, {}", module_->noted("network"), module_->noted("weights_sha256"), how);
  }

 private:
  Tensor score_by_module(const Inputs& inputs) override {
    const int64_t count = inputs.test.size(0);
    const Tensor prepared = prepare(at::cat({inputs.reference.to(at::kFloat), inputs.test.to(at::kFloat)}));
    const Tensor keys = (*module_)({prepared});
    if (keys.dim() != 3 || keys.size(0) != 2 * count) {
      throw module_->complaint(fmt::format("its module answers {}", shape_text(keys.sizes())),
                               fmt::format("keys [{}, tokens, width]", 2 * count));
    }
    const Tensor source = self_similarity(keys.narrow(0, 0, count));
    const Tensor test = self_similarity(keys.narrow(0, count, count));
    return (source - test).square().mean({1, 2}, /*keepdim=*/false, at::kDouble);
  }

  // [N, 3, H, W] on [0, 1] -> [N, 3, h, w]
  Tensor prepare(const Tensor& pictures) const {
    const auto [height, width] = resized(pictures.size(2), pictures.size(3));
    Tensor small = pictures;
    if (height != pictures.size(2) || width != pictures.size(3)) {
      small = antialias_ ? at::_upsample_bilinear2d_aa(pictures, {height, width}, /*align_corners=*/false)
                         : at::upsample_bilinear2d(pictures, {height, width}, /*align_corners=*/false);
    }
    // The code of PIE-Bench normalises bytes with the mean and deviation of pictures on [0, 1].
    return ((bytes_ ? 255 * small : small) - mean_) / std_;
  }

  bool antialias_ = true, bytes_ = false;
  Tensor mean_, std_;  // of ImageNet, [3, 1, 1]
};

const Registered<Metric, StructureDistance> structure_distance(
    {.name = "structure_distance",
     .label = "structure distance",
     .long_name = "mean squared difference of the self-similarities of DINO ViT-B/8 keys",
     .whole_pictures = true,
     .perceptual = true,
     .order = 4,
     .module_name = [](const config::Params&) -> std::string { return "structure-distance"; }});

}  // namespace
}  // namespace roundtrip::metrics
