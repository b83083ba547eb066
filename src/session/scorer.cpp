#include "session/scorer.h"

#include <algorithm>

namespace roundtrip::session {
namespace {

// Pixels that are taken at once: 64 images of 128 x 128.
constexpr int64_t kPixelsPerBatch = int64_t{1} << 20;

Tensor to_unit_range(const Tensor& pixels) { return ((pixels + 1) / 2).clamp(0, 1); }

}  // namespace

int pictures_at_once(int64_t pixels_of_picture, int most) {
  return static_cast<int>(std::clamp<int64_t>(kPixelsPerBatch / pixels_of_picture, 1, most));
}

Scorer::Scorer(const std::vector<std::string>& names, const metrics::MetricOptions& options) : device_(options.device) {
  for (const std::string& name : names) metrics_.push_back(metrics::make_metric(name, options));
}

void Scorer::join(engine::Engine& engine, int rows) {
  station_ = &engine.add_station("score", [this](const std::vector<Tensor>& inputs) { return answer(inputs); }, rows);
}

std::vector<std::string> Scorer::unavailable() const {
  std::vector<std::string> reasons;
  for (const auto& metric : metrics_) {
    if (std::string reason = metric->unavailable(); !reason.empty()) reasons.push_back(std::move(reason));
  }
  return reasons;
}

// Two images, two latents, and what each metric on captions wants, in their order -> [R, M] float64.
std::vector<Tensor> Scorer::answer(const std::vector<Tensor>& inputs) const {
  const Tensor reference = to_unit_range(inputs[0]), test = to_unit_range(inputs[1]);
  std::vector<Tensor> scores;
  size_t wanted = 4;
  for (const auto& metric : metrics_) {
    const metrics::MetricInfo& info = metric->info();
    const Tensor score = info.on_caption   ? metric->score(inputs[wanted++], test)
                         : info.on_latents ? metric->score(inputs[2], inputs[3])
                                           : metric->score(reference, test);
    scores.push_back(score.to(at::kCPU, at::kDouble));
  }
  if (scores.empty()) return {at::empty({reference.size(0), 0}, at::kDouble)};
  return {at::stack(scores, 1)};
}

engine::Task<Scores> Scorer::score(Pair pair) {
  std::vector<Tensor> inputs = {pair.reference, pair.test, pair.x0, pair.x};
  for (const auto& metric : metrics_) {
    if (metric->info().on_caption) inputs.push_back(metric->wanted(pair.caption).to(device_));
  }
  engine::Station::Awaiter scoring(*station_, std::move(inputs));
  const std::vector<Tensor> scores = co_await scoring;
  Scores named;
  for (size_t k = 0; k < metrics_.size(); ++k) named[metrics_[k]->info().name] = scores[0][k].item<double>();
  co_return named;
}

}  // namespace roundtrip::session
