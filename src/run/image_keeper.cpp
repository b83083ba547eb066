#include "run/image_keeper.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "data/png.h"

namespace roundtrip::run {
namespace {

// A record without a score counts as the worst.
double rank_of(double score, metrics::Direction direction) {
  if (std::isnan(score)) return -std::numeric_limits<double>::infinity();
  return direction == metrics::Direction::kHigherIsBetter ? score : -score;
}

}  // namespace

ImageKeeper::ImageKeeper(std::filesystem::path folder, const std::vector<plan::Trial>& trials)
    : folder_(std::move(folder)) {
  int first = std::numeric_limits<int>::max();
  for (const plan::Trial& trial : trials) {
    for (const std::string& name : trial.metrics) {
      const metrics::MetricInfo& info = metrics::Metric::Plugins::info(name);
      if (!info.on_pictures() || info.order >= first) continue;
      first = info.order;
      metric_ = name;
      direction_ = info.direction;
    }
  }
}

double ImageKeeper::rank(const FinishedRecord& finished) const {
  const auto value = finished.record.values.find(metric_);
  const auto* score = value == finished.record.values.end() ? nullptr : std::get_if<double>(&value->second);
  return rank_of(score != nullptr ? *score : std::nan(""), direction_);
}

std::filesystem::path ImageKeeper::path_of(int64_t row) const { return folder_ / fmt::format("{:06d}.png", row); }

void ImageKeeper::restore(int64_t row, double score) {
  if (std::filesystem::exists(path_of(row))) worst_.insert({rank_of(score, direction_), row});
}

bool ImageKeeper::wants(const FinishedRecord& finished) const {
  switch (finished.trial->save_images) {
    case plan::SaveImages::kNone:
      return false;
    case plan::SaveImages::kAll:
      return true;
    case plan::SaveImages::kWorst8:
      return worst_.size() < kWorst || rank(finished) < worst_.rbegin()->first;
  }
  return false;
}

void ImageKeeper::keep(const FinishedRecord& finished) {
  const Tensor& pixels = finished.image;  // u8 [H, W, 3]
  data::Image image{.height = static_cast<int>(pixels.size(0)), .width = static_cast<int>(pixels.size(1)), .rgb = {}};
  const uint8_t* first = pixels.const_data_ptr<uint8_t>();
  image.rgb.assign(first, first + pixels.numel());
  std::filesystem::create_directories(folder_);
  data::write_png(path_of(finished.record.plan_row), image);
  if (finished.trial->save_images != plan::SaveImages::kWorst8) return;
  worst_.insert({rank(finished), finished.record.plan_row});
  if (worst_.size() <= kWorst) return;
  std::filesystem::remove(path_of(worst_.rbegin()->second));
  worst_.erase(std::prev(worst_.end()));
}

}  // namespace roundtrip::run
