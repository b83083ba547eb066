// A metric scores a batch of pictures against their originals, their captions, or the answer to an edit.
//
// A metric is one source file, which registers a class (mse.cpp is the shortest). Nothing else is edited. Its
// parameters are the config section `metric.<name>`, which its constructor reads through config::Params.
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

// How a metric scores the background of an edit, the part that the edit may not change.
enum class Background {
  kNone,       // it does not
  kPixels,     // from the background's pixels alone: Metric::score_where
  kComposite,  // as a whole picture: the source inside the edited region, the edit outside, scored against the source
};

// Inputs that a metric compares with the picture itself. If a sample lacks one of them, its score is NaN.
struct Wants {
  bool reference = false;  // the source picture; also the target if an edit is scored against its answer
  bool latents = false;    // of both pictures
  bool caption = false;    // the prompt that the picture should show: the target prompt of an edit
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
  std::string version = {};  // changes whenever the numbers would; a metric with a module includes its network
  Wants wants = {.reference = true};
  int digits = 4;          // after the decimal point
  bool log_axis = false;   // in figures
  bool has_floor = false;  // the loss of encoding and decoding alone is recorded beside it, as codec_<name>
  Background background = Background::kNone;
  bool whole_pictures = false;  // has no meaning on a picture with a part blackened: no column of zeroed frames
  bool on_parts = false;        // of a metric that wants captions: it also scores the edited part, and the source
  bool perceptual = false;      // judges what a viewer sees rather than pixel values
  int order = 100;              // place among measures, lowest first, in the order of interest to a reader
  // The name of the metric's module in the home of modules (module_home.h) without its ending, "lpips-squeeze", given
  // the metric's section. nullptr for a metric that has no module there.
  std::string (*module_name)(const config::Params&) = nullptr;

  // Returns whether it compares two pictures only, so that it also applies to an edit's answer and background.
  bool on_pictures() const { return wants == Wants{.reference = true}; }
};

// A batch of the inputs that a metric wants; the others may be undefined.
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
  // Arguments of the factory: the metric's config section, and the device of all inputs.
  using Plugins = Registry<Metric, MetricInfo, const config::Params&, at::Device>;

  explicit Metric(MetricInfo info) : info_(std::move(info)) {}
  virtual ~Metric() = default;

  const MetricInfo& info() const { return info_; }

  // Returns [N] float64 on the inputs' device. A NaN in a picture gives NaN for that picture alone.
  virtual Tensor score(const Inputs& inputs) = 0;

  // Scores the pixels where `counts` [N, 1, H, W] is true, for a metric with Background::kPixels; NaN if there are
  // none.
  virtual Tensor score_where(const Tensor& reference, const Tensor& test, const Tensor& counts);

  // Returns a caption in the metric's own form, always of one shape, for a metric that wants captions.
  virtual Tensor encode_caption(const std::string&) const { return {}; }

  // Returns nothing, or one line that says why the column will be NaN and how to fix it.
  virtual std::string unavailable() const { return {}; }

 protected:
  MetricInfo info_;  // the constructor may complete it, for example with the version of a module
};

// Config sections of metrics, by name.
using MetricParams = std::map<std::string, config::Params>;

std::vector<std::string> metric_names();  // sorted

// Reads the metric's section, which may be absent. Throws kType for an unknown metric, with the nearest name, and for a
// wrong or unknown parameter.
std::unique_ptr<Metric> make_metric(const std::string& name, const MetricParams& params = {},
                                    at::Device device = at::kCPU);

// Throws as make_metric does for errors that show before a metric is made: the section of an unknown metric, and a file
// name that is not a text. Returns the files that the sections name, by key ("metric.lpips.path"), and under the same
// keys the modules that those of `metrics` without such a name find in the home of modules (module_home.h).
std::map<std::string, std::filesystem::path> metric_files(const MetricParams& params,
                                                          const std::vector<std::string>& metrics = {});

// Checks, for metrics, that both are [N, C, H, W] and of one shape. Otherwise the caller has a bug (kInternal).
void check_pair(const Tensor& reference, const Tensor& test);

}  // namespace roundtrip::metrics
