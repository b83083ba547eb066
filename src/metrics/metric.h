// A metric scores a batch of pictures: against their originals, their captions, or the answer to an edit.
//
// A metric is one source file of its own, which registers a class (mse.cpp is the shortest); nothing else is edited.
// Its parameters are the config section `metric.<name>`, which its constructor reads through config::Params.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "base/registry.h"
#include "config/params.h"

namespace roundtrip::metrics {

using at::Tensor;

enum class Direction { kLowerIsBetter, kHigherIsBetter };

// The inputs that a metric compares; all have the picture itself. Where a sample lacks one, its score is NaN.
struct Wants {
  bool reference = false;  // the source picture; also the target where an edit is scored against its answer
  bool latents = false;    // of both pictures
  bool caption = false;    // the prompt that the picture should show: of an edit its target prompt
  bool mask = false;       // where an edit may change the picture
  bool target = false;     // the exact answer to an edit
  bool operator==(const Wants&) const = default;
};

struct MetricInfo {
  static constexpr PluginKind kKind{.noun = "metric", .key = "metrics", .unknown = ErrorKind::kType};

  std::string name = {};
  std::string label = {};      // in tables and figures: "PSNR"
  std::string units = {};      // "dB", or empty
  std::string long_name = {};  // one line with the definition: "structural similarity, Gaussian 11x11, sigma 1.5, ..."
  Direction direction = Direction::kLowerIsBetter;
  std::string version = {};  // changes whenever the numbers would; a metric with a module names its network in it
  Wants wants = {.reference = true};
  int digits = 4;           // behind the point
  bool log_axis = false;    // in figures
  bool has_floor = false;   // what encoding and decoding alone lose is recorded beside it, as codec_<name>
  bool per_pixel = false;   // can be taken over some pixels alone: Metric::score_where
  bool perceptual = false;  // judges what a viewer sees rather than pixel values
  int order = 100;          // place among measures, lowest first: what a reader looks for

  // Whether it compares two pictures and nothing else, so that it also applies to an edit's answer and background.
  bool on_pictures() const { return wants == Wants{.reference = true}; }
};

// A batch of what a metric wants; what it does not want may be undefined.
struct Inputs {
  Tensor test = {};        // [N, 3, H, W] on [0, 1]
  Tensor reference = {};   // the same
  Tensor x0 = {}, x = {};  // latents of `reference` and `test`, [N, C, h, w]
  Tensor caption = {};     // Metric::encode_caption of each, stacked
  Tensor mask = {};        // [N, 1, H, W] bool: where the edit may change the picture
  Tensor target = {};      // as `test`
};

class Metric {
 public:
  // The factory's arguments: the metric's config section, and the device of all inputs.
  using Plugins = Registry<Metric, MetricInfo, const config::Params&, at::Device>;

  explicit Metric(MetricInfo info) : info_(std::move(info)) {}
  virtual ~Metric() = default;

  const MetricInfo& info() const { return info_; }

  // [N] float64 on the inputs' device. NaN in gives NaN out, for that picture alone.
  virtual Tensor score(const Inputs& inputs) = 0;

  // Over the pixels where `counts` [N, 1, H, W] is true, for a metric with `per_pixel`; NaN where there are none.
  virtual Tensor score_where(const Tensor& reference, const Tensor& test, const Tensor& counts);

  // A caption in the metric's own form, always of one shape, for a metric that wants captions.
  virtual Tensor encode_caption(const std::string&) const { return {}; }

  // Empty, or one line that says why the column will be NaN and how to mend it.
  virtual std::string unavailable() const { return {}; }

 protected:
  MetricInfo info_;  // a constructor completes it, such as with the version of a module
};

// The config sections of metrics, by name.
using MetricParams = std::map<std::string, config::Params>;

std::vector<std::string> metric_names();  // sorted

// Reads the metric's section, which may be absent. Throws kType for an unknown metric, with the nearest name, and for a
// parameter that is wrong or unknown.
std::unique_ptr<Metric> make_metric(const std::string& name, const MetricParams& params = {},
                                    at::Device device = at::kCPU);

// Throws as make_metric does for what can be seen without making a metric: the section of an unknown metric, and a file
// that is not a text. Returns the files that the sections name, by key: "metric.lpips.path".
std::map<std::string, std::filesystem::path> metric_files(const MetricParams& params);

// For metrics: both [N, C, H, W] and of one shape, or the caller is mistaken (kInternal).
void check_pair(const Tensor& reference, const Tensor& test);

}  // namespace roundtrip::metrics
