#include "analysis/figure/scale.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace roundtrip::analysis {
namespace {

// Smallest of 1, 2, 5 times a power of ten that is not below `step`.
double round_step(double step) {
  const double power = std::pow(10, std::floor(std::log10(step)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= step * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

}  // namespace

Scale::Scale(double low, double high, bool logarithmic, double from_place, double to_place)
    : low_(low), high_(high), logarithmic_(logarithmic), from_(from_place), to_(to_place) {
  if (low_ == high_) {
    const double room = logarithmic ? 0 : std::max(std::abs(low_) * 0.05, 1e-9);
    low_ = logarithmic ? low_ / 1.5 : low_ - room;
    high_ = logarithmic ? high_ * 1.5 : high_ + room;
  }
}

double Scale::place(double value) const {
  const double part = logarithmic_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
  return from_ + part * (to_ - from_);
}

std::vector<double> Scale::ticks(int about) const {
  std::vector<double> ticks;
  if (logarithmic_) {
    const bool few_decades = high_ / low_ < 300;
    for (double power = std::pow(10, std::floor(std::log10(low_))); power <= high_; power *= 10) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double tick = factor * power;
        const bool wanted = factor == 1 || few_decades;
        if (wanted && tick >= low_ * (1 - 1e-9) && tick <= high_ * (1 + 1e-9)) ticks.push_back(tick);
      }
    }
    if (ticks.size() >= 2) return ticks;
    ticks.clear();
  }
  const double step = round_step((high_ - low_) / about);
  for (double k = std::ceil(low_ / step - 1e-9); k * step <= high_ + 1e-9 * step; ++k) ticks.push_back(k * step);
  return ticks;
}

std::string tick_text(double value, double step) {
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size >= 1e5 || size < 1e-3) return fmt::format("{:.3g}", value);
  const int digits = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  return fmt::format("{:.{}f}", value, std::min(digits, 6));
}

}  // namespace roundtrip::analysis
