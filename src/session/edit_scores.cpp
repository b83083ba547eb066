#include "session/edit_scores.h"

#include <cmath>
#include <limits>

#include "metrics/mse.h"
#include "session/pixels.h"

namespace roundtrip::session {
namespace {

constexpr const char* kAnswer = "edit_";
constexpr const char* kBackground = "background_";
constexpr const char* kZeroed = "background_zeroed_";

Tensor unit(const Tensor& image) { return ((image + 1) / 2).clamp(0, 1).unsqueeze(0); }  // [1, 3, H, W] on [0, 1]

// The scores of metrics of images, under the names of their columns.
void add(const Scorer& scorer, const char* prefix, const Scores& scores, Scores& named) {
  for (const auto& metric : scorer.metrics()) {
    const metrics::MetricInfo& info = metric->info();
    if (!info.on_latents && !info.on_caption) named[prefix + info.name] = scores.at(info.name);
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

void fill_scores(store::Record& record, const std::vector<std::string>& metrics, bool edits, const Scores& scores) {
  for (const std::string& name : metrics) {
    for (const std::string& column : score_columns(name, edits)) {
      const auto score = scores.find(column);
      if (score != scores.end()) record.values[column] = score->second;
    }
  }
}

EditTarget edit_target(std::string prompt, const data::EditTruth& truth, const Tensor& source) {
  EditTarget target{.prompt = std::move(prompt), .pixels = {}, .mask = {}};
  if (truth.target) target.pixels = to_pixels(*truth.target, source.options());
  if (truth.mask) {
    const Tensor marked = at::tensor(at::ArrayRef<uint8_t>(*truth.mask), at::kByte);
    target.mask = marked.reshape({1, source.size(1), source.size(2)}).to(source.device(), at::kBool);
  }
  return target;
}

engine::Task<Scores> edit_scores(Scorer& scorer, Tensor source, Tensor result, EditTarget target, Tensor x0, Tensor x) {
  Scores named;
  if (target.pixels.defined()) {
    Pair pair{.reference = target.pixels, .test = result, .x0 = x0, .x = x, .caption = target.prompt};
    engine::Task<Scores> scoring = scorer.score(std::move(pair));
    const Scores scores = co_await scoring;
    add(scorer, kAnswer, scores, named);
  }
  if (target.mask.defined()) {
    const Tensor black = at::full({}, -1, source.options());
    Pair pair{.reference = at::where(target.mask, black, source),
              .test = at::where(target.mask, black, result),
              .x0 = x0,
              .x = x,
              .caption = target.prompt};
    engine::Task<Scores> scoring = scorer.score(std::move(pair));
    const Scores scores = co_await scoring;
    add(scorer, kZeroed, scores, named);
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

}  // namespace roundtrip::session
