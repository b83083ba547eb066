#include "run/edit_scores.h"

#include <cmath>
#include <limits>

#include "metrics/mse.h"

namespace roundtrip::run {
namespace {

constexpr const char* kAnswer = "edit_";
constexpr const char* kBackground = "background_";
constexpr const char* kZeroed = "background_zeroed_";

Tensor unit(const Tensor& image) { return ((image + 1) / 2).clamp(0, 1).unsqueeze(0); }  // [1, 3, H, W] on [0, 1]

// One row of scores under the names of their metrics' columns.
void add(const Workbench& bench, const char* prefix, const Tensor& scores, std::map<std::string, double>& named) {
  for (size_t k = 0; k < bench.metrics().size(); ++k) {
    const metrics::MetricInfo& info = bench.metrics()[k]->info();
    if (!info.on_latents && !info.on_caption) named[prefix + info.name] = scores[k].item<double>();
  }
}

}  // namespace

std::vector<store::Column> edit_columns(const store::Column& metric) {
  std::vector<store::Column> columns(2, metric);
  columns[0].name = kAnswer + metric.name;
  columns[0].long_name += ", against the edit's exact answer";
  columns[1].name = kZeroed + metric.name;
  columns[1].long_name += ", both images 0 where the edit may change them";
  if (metric.name == "mse" || metric.name == "psnr") {
    columns.push_back(metric);
    columns.back().name = kBackground + metric.name;
    columns.back().long_name += ", over the pixels that the edit may not change";
  }
  return columns;
}

std::vector<std::string> score_columns(const std::string& metric, bool edits) {
  if (!edits) return {metric};
  return {metric, kAnswer + metric, kBackground + metric, kZeroed + metric};
}

engine::Task<std::map<std::string, double>> edit_scores(Workbench& bench, Tensor source, Tensor result,
                                                        EditTarget target, Tensor x0, Tensor x) {
  std::map<std::string, double> named;
  if (target.pixels.defined()) {
    std::vector<Tensor> inputs = bench.compared(target.pixels, result, x0, x, target.prompt);
    engine::Station::Awaiter scoring(bench.score(), std::move(inputs));
    const std::vector<Tensor> scores = co_await scoring;
    add(bench, kAnswer, scores[0], named);
  }
  if (target.mask.defined()) {
    const Tensor black = at::full({}, -1, source.options());
    std::vector<Tensor> inputs = bench.compared(at::where(target.mask, black, source),
                                                at::where(target.mask, black, result), x0, x, target.prompt);
    engine::Station::Awaiter scoring(bench.score(), std::move(inputs));
    const std::vector<Tensor> scores = co_await scoring;
    add(bench, kZeroed, scores[0], named);
    const Tensor kept = target.mask.logical_not();
    const Tensor error = metrics::mean_squared_error(unit(source), unit(result), kept.unsqueeze(0));
    named[std::string(kBackground) + "mse"] = error.item<double>();
    named[std::string(kBackground) + "psnr"] = metrics::peak_signal_to_noise(error).item<double>();
    if (!kept.any().item<bool>()) {
      // Two black frames are equal; that says nothing of the edit.
      for (auto& [column, score] : named) {
        if (column.starts_with(kBackground)) score = std::numeric_limits<double>::quiet_NaN();
      }
    }
  }
  co_return named;
}

}  // namespace roundtrip::run
