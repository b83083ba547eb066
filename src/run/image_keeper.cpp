#include "run/image_keeper.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "data/png.h"

namespace roundtrip::run {
namespace {

// A record without a PSNR is taken for the worst.
double rank_of(double psnr) { return std::isnan(psnr) ? -std::numeric_limits<double>::infinity() : psnr; }

double psnr_of(const FinishedRecord& finished) {
  const auto value = finished.record.values.find("psnr");
  const auto* psnr = value == finished.record.values.end() ? nullptr : std::get_if<double>(&value->second);
  return psnr ? rank_of(*psnr) : rank_of(std::nan(""));
}

}  // namespace

std::filesystem::path ImageKeeper::path_of(int64_t row) const { return folder_ / fmt::format("{:06d}.png", row); }

void ImageKeeper::restore(int64_t row, double psnr) {
  if (std::filesystem::exists(path_of(row))) worst_.insert({rank_of(psnr), row});
}

bool ImageKeeper::wants(const FinishedRecord& finished) const {
  switch (finished.trial->save_images) {
    case plan::SaveImages::kNone:
      return false;
    case plan::SaveImages::kAll:
      return true;
    case plan::SaveImages::kWorst8:
      return worst_.size() < kWorst || psnr_of(finished) < worst_.rbegin()->first;
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
  worst_.insert({psnr_of(finished), finished.record.plan_row});
  if (worst_.size() <= kWorst) return;
  std::filesystem::remove(path_of(worst_.rbegin()->second));
  worst_.erase(std::prev(worst_.end()));
}

}  // namespace roundtrip::run
