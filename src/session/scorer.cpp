#include "session/scorer.h"

#include <algorithm>
#include <limits>

#include "session/protocol.h"

namespace roundtrip::session {
namespace {

using columns::View;

// Pixels per batch: 64 images of 128 x 128.
constexpr int64_t kPixelsPerBatch = int64_t{1} << 20;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Tensor to_unit_range(const Tensor& pixels) { return ((pixels + 1) / 2).clamp(0, 1); }

bool is_whole(View view) { return view == View::kCodec || view == View::kEdit || view == View::kSource; }

// Scores of one kind for each metric, [R, M] float64.
template <class Score>
std::vector<Tensor> stacked(const std::vector<metrics::Metric*>& metrics, int64_t rows, Score score) {
  std::vector<Tensor> scores;
  for (metrics::Metric* metric : metrics) scores.push_back(score(*metric).to(at::kCPU, at::kDouble));
  if (scores.empty()) return {at::empty({rows, 0}, at::kDouble)};
  return {at::stack(scores, 1)};
}

// Views whose pictures differ from the whole ones by the mask alone; inputs [R, ...] with values on [0, 1].
metrics::Inputs masked(View view, const Tensor& reference, const Tensor& test, const Tensor& mask) {
  metrics::Inputs inputs;
  switch (view) {
    case View::kZeroedBackground:
      inputs.reference = reference.masked_fill(mask, 0);
      inputs.test = test.masked_fill(mask, 0);
      break;
    case View::kBackground:
      inputs.reference = reference;
      inputs.test = at::where(mask, reference, test);
      break;
    default:
      inputs.test = test.masked_fill(mask.logical_not(), 0);
  }
  return inputs;
}

}  // namespace

int pictures_at_once(int64_t pixels_of_picture, int most) {
  return static_cast<int>(std::clamp<int64_t>(kPixelsPerBatch / pixels_of_picture, 1, most));
}

Scorer::Scorer(const std::vector<std::string>& names, const metrics::MetricParams& params, at::Device device)
    : device_(device) {
  for (const std::string& name : names) {
    const metrics::Wants& wants = metrics_.emplace_back(metrics::make_metric(name, params, device))->info().wants;
    wants_.latents = wants_.latents || wants.latents;
    wants_.mask = wants_.mask || wants.mask;
    wants_.target = wants_.target || wants.target;
  }
}

void Scorer::join(engine::Engine& engine, int rows, const std::function<bool(const metrics::MetricInfo&)>& whole) {
  whole_.clear();
  for (const auto& metric : metrics_) {
    if (!whole || whole(metric->info())) whole_.push_back(metric.get());
  }
  score_ = &engine.add_function("score", [this](const std::vector<Tensor>& inputs) { return answer(inputs); }, rows);
  for (const View view :
       {View::kCodec, View::kEdit, View::kZeroedBackground, View::kBackground, View::kEditedPart, View::kSource}) {
    Viewed viewed;
    for (const auto& metric : metrics_) {
      if (has_view(metric->info(), view)) viewed.metrics.push_back(metric.get());
    }
    if (viewed.metrics.empty()) continue;
    viewed.function = &engine.add_function(
        "score", [this, view](const std::vector<Tensor>& inputs) { return answer(view, inputs); }, rows);
    views_[view] = std::move(viewed);
  }
}

std::vector<std::string> Scorer::unavailable() const {
  std::vector<std::string> reasons;
  for (const auto& metric : metrics_) {
    if (std::string reason = metric->unavailable(); !reason.empty()) reasons.push_back(std::move(reason));
  }
  return reasons;
}

// Inputs: two images; the latents, mask and target that some metric wants; then the caption for each metric that wants
// one, in their order. Returns [R, M] float64.
std::vector<Tensor> Scorer::answer(const std::vector<Tensor>& inputs) const {
  size_t next = 2;
  metrics::Inputs common{.test = to_unit_range(inputs[1]), .reference = to_unit_range(inputs[0])};
  if (wants_.latents) {
    common.x0 = inputs[next++];
    common.x = inputs[next++];
  }
  if (wants_.mask) common.mask = inputs[next++];
  if (wants_.target) common.target = to_unit_range(inputs[next++]);
  return stacked(whole_, common.test.size(0), [&](metrics::Metric& metric) {
    metrics::Inputs own = common;
    if (metric.info().wants.caption) own.caption = inputs[next++];
    return metric.score(own);
  });
}

// Inputs: two images and, for views of a part, the mask; then the caption for each metric of the parts.
std::vector<Tensor> Scorer::answer(View view, const std::vector<Tensor>& inputs) const {
  const Tensor reference = to_unit_range(inputs[0]), test = to_unit_range(inputs[1]);
  const bool whole = is_whole(view);
  const metrics::Inputs common =
      whole ? metrics::Inputs{.test = test, .reference = reference} : masked(view, reference, test, inputs[2]);
  size_t next = whole ? 2 : 3;
  return stacked(views_.at(view).metrics, test.size(0), [&](metrics::Metric& metric) {
    if (view == View::kBackground && metric.info().background == metrics::Background::kPixels) {
      return metric.score_where(reference, test, inputs[2].logical_not());
    }
    metrics::Inputs own = common;
    if (metric.info().wants.caption) own.caption = inputs[next++];
    return metric.score(own);
  });
}

engine::Task<Scores> Scorer::score(Pair pair) {
  std::vector<Tensor> inputs = {pair.reference, pair.test};
  if (wants_.latents) {
    inputs.push_back(pair.x0);
    inputs.push_back(pair.x);
  }
  // Pairs of one batch have inputs of one shape, defined or not.
  if (wants_.mask) {
    inputs.push_back(pair.mask.defined() ? pair.mask : at::zeros_like(pair.test.narrow(0, 0, 1), at::kBool));
  }
  if (wants_.target) inputs.push_back(pair.target.defined() ? pair.target : pair.test);
  for (const metrics::Metric* metric : whole_) {
    if (metric->info().wants.caption) inputs.push_back(metric->encode_caption(pair.caption).to(device_));
  }
  const std::vector<Tensor> scores = co_await (*score_)(std::move(inputs));
  Scores named;
  for (size_t k = 0; k < whole_.size(); ++k) {
    const metrics::Wants& wants = whole_[k]->info().wants;
    const bool lacks = (wants.mask && !pair.mask.defined()) || (wants.target && !pair.target.defined());
    named[whole_[k]->info().name] = lacks ? kNaN : scores[0][static_cast<int64_t>(k)].item<double>();
  }
  co_return named;
}

engine::Task<Scores> Scorer::score(View view, Pair pair) {
  Scores named;
  const auto found = views_.find(view);
  if (found == views_.end()) co_return named;
  const Viewed& viewed = found->second;
  // Two black frames are equal, which says nothing about the edit.
  if (is_background(view) && pair.mask.all().item<bool>()) {
    for (const metrics::Metric* metric : viewed.metrics) named[columns::score_name(view, metric->info().name)] = kNaN;
    co_return named;
  }
  const bool of_source = view == View::kSource;
  std::vector<Tensor> inputs = {view == View::kEdit ? pair.target : pair.reference,
                                of_source ? pair.reference : pair.test};
  if (!is_whole(view)) inputs.push_back(pair.mask);
  const std::string& caption = of_source ? pair.source_caption : pair.caption;
  for (const metrics::Metric* metric : viewed.metrics) {
    if (metric->info().wants.caption) inputs.push_back(metric->encode_caption(caption).to(device_));
  }
  const std::vector<Tensor> scores = co_await (*viewed.function)(std::move(inputs));
  for (size_t k = 0; k < viewed.metrics.size(); ++k) {
    named[columns::score_name(view, viewed.metrics[k]->info().name)] =
        scores[0][static_cast<int64_t>(k)].item<double>();
  }
  co_return named;
}

}  // namespace roundtrip::session
