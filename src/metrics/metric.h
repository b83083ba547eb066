// A metric compares reconstructions with their originals, a batch at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

namespace roundtrip::metrics {

using at::Tensor;

enum class Direction { kLowerIsBetter, kHigherIsBetter };

// What a metric needs besides the two images.
struct MetricOptions {
  std::filesystem::path lpips_path = {};  // the TorchScript module that scripts/export_lpips.py writes; may be empty
  std::filesystem::path attributes_path = {};  // the TorchScript classifier that attribute_accuracy asks; may be empty
  std::filesystem::path clip_path = {};  // the TorchScript module that scripts/export_clip.py writes; may be empty
  at::Device device = at::kCPU;

  // The modules, each with the config key that names it.
  std::vector<std::pair<std::string, std::filesystem::path>> modules() const {
    return {{"lpips.path", lpips_path}, {"attributes.path", attributes_path}, {"clip.path", clip_path}};
  }
  bool operator==(const MetricOptions&) const = default;
};

// What stands in the results file beside the column.
struct MetricInfo {
  std::string name;
  std::string units;      // "dB", or empty
  std::string long_name;  // one line with the definition: "structural similarity, Gaussian 11x11, sigma 1.5, ..."
  Direction direction = Direction::kLowerIsBetter;
  std::string version;      // changes whenever the numbers would; holds the LPIPS net and digest
  bool on_latents = false;  // compares latents instead of pixels
  bool on_caption = false;  // compares the test image with what Metric::wanted reads in a caption
};

class Metric {
 public:
  virtual ~Metric() = default;
  virtual const MetricInfo& info() const = 0;

  // Two batches [N, 3, H, W] on [0, 1] (or latents [N, C, h, w]) of one shape and device -> [N] float64 there.
  // NaN in gives NaN out, for that pair alone. A metric on captions takes a batch of `wanted` as its reference.
  virtual Tensor score(const Tensor& reference, const Tensor& test) = 0;

  // Of a metric on captions: what the caption says of an image, in a form of the metric's own, of one shape.
  virtual Tensor wanted(const std::string&) const { return {}; }

  // Empty, or one line that says why the column will be NaN and how to mend it.
  virtual std::string unavailable() const { return {}; }
};

using MetricFactory = std::function<std::unique_ptr<Metric>(const MetricOptions&)>;

// Registers at start-up, from the metric's own file: `const MetricRegistration registration{"psnr", make};`
struct MetricRegistration {
  MetricRegistration(std::string name, MetricFactory factory);
};

std::vector<std::string> metric_names();  // sorted
// Throws kInput with the nearest name.
std::unique_ptr<Metric> make_metric(const std::string& name, const MetricOptions& options);

// For metrics: both [N, C, H, W] and of one shape, or the caller is mistaken (kInternal).
void check_pair(const Tensor& reference, const Tensor& test);

}  // namespace roundtrip::metrics
