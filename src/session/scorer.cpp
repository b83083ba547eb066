#include "session/scorer.h"

#include <algorithm>
#include <limits>

namespace roundtrip::session {
namespace {

// Pixels per batch: 64 images of 128 x 128.
constexpr int64_t kPixelsPerBatch = int64_t{1} << 20;

Tensor to_unit_range(const Tensor& pixels) { return ((pixels + 1) / 2).clamp(0, 1); }

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

void Scorer::join(engine::Engine& engine, int rows) {
  score_ = &engine.add_function("score", [this](const std::vector<Tensor>& inputs) { return answer(inputs); }, rows);
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
  std::vector<Tensor> scores;
  for (const auto& metric : metrics_) {
    metrics::Inputs own = common;
    if (metric->info().wants.caption) own.caption = inputs[next++];
    scores.push_back(metric->score(own).to(at::kCPU, at::kDouble));
  }
  if (scores.empty()) return {at::empty({common.test.size(0), 0}, at::kDouble)};
  return {at::stack(scores, 1)};
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
  for (const auto& metric : metrics_) {
    if (metric->info().wants.caption) inputs.push_back(metric->encode_caption(pair.caption).to(device_));
  }
  const std::vector<Tensor> scores = co_await (*score_)(std::move(inputs));
  Scores named;
  for (size_t k = 0; k < metrics_.size(); ++k) {
    const metrics::Wants& wants = metrics_[k]->info().wants;
    const bool lacks = (wants.mask && !pair.mask.defined()) || (wants.target && !pair.target.defined());
    named[metrics_[k]->info().name] =
        lacks ? std::numeric_limits<double>::quiet_NaN() : scores[0][static_cast<int64_t>(k)].item<double>();
  }
  co_return named;
}

}  // namespace roundtrip::session
