#include "data/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::data {
namespace {

constexpr int kChannels = 3;

// The source pixels that make up one target pixel along one axis, and their weights, which sum to 1.
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

void normalise(std::vector<float>& weights, double sum) {
  for (float& weight : weights) weight = static_cast<float>(weight / sum);
}

// Weights of the source pixels, by their share of [from, to).
Taps area_taps(int source, double from, double to) {
  Taps taps{.first = std::clamp(static_cast<int>(std::floor(from)), 0, source - 1), .weights = {}};
  const int end = std::clamp(static_cast<int>(std::ceil(to)), taps.first + 1, source);
  double sum = 0;
  for (int j = taps.first; j < end; ++j) {
    const double share = std::max(0.0, std::min(to, j + 1.0) - std::max(from, static_cast<double>(j)));
    taps.weights.push_back(static_cast<float>(share));
    sum += share;
  }
  normalise(taps.weights, sum);
  return taps;
}

double triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }

double lanczos3(double x) {
  if (x == 0) return 1;
  if (std::abs(x) >= 3) return 0;
  const double a = std::numbers::pi * x;
  return 3 * std::sin(a) * std::sin(a / 3) / (a * a);
}

// Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -0.5.
double cubic(double x) {
  x = std::abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}

// Weights of a kernel of the given radius around `centre`, with its argument divided by `stretch`; cut off at the
// image's edge.
Taps kernel_taps(int source, double centre, double stretch, double (*kernel)(double), double radius) {
  const double reach = radius * stretch;
  Taps taps{.first = std::clamp(static_cast<int>(std::floor(centre - reach + 0.5)), 0, source - 1), .weights = {}};
  const int end = std::clamp(static_cast<int>(std::floor(centre + reach + 0.5)), taps.first + 1, source);
  double sum = 0;
  for (int j = taps.first; j < end; ++j) {
    const double weight = kernel((j + 0.5 - centre) / stretch);
    taps.weights.push_back(static_cast<float>(weight));
    sum += weight;
  }
  normalise(taps.weights, sum);
  return taps;
}

// Taps of `target` pixels, `scale` source pixels for each, from `offset` on.
std::vector<Taps> axis_taps(Resampling resampling, int source, double offset, double scale, int target) {
  std::vector<Taps> taps;
  for (int i = 0; i < target; ++i) {
    const double from = offset + i * scale, centre = offset + (i + 0.5) * scale;
    if (resampling == Resampling::kLanczos) {
      taps.push_back(kernel_taps(source, centre, std::max(scale, 1.0), lanczos3, 3));
    } else if (resampling == Resampling::kBicubic) {
      taps.push_back(kernel_taps(source, centre, std::max(scale, 1.0), cubic, 2));
    } else if (scale > 1) {
      taps.push_back(area_taps(source, from, from + scale));
    } else {
      taps.push_back(kernel_taps(source, centre, 1, triangle, 1));
    }
  }
  return taps;
}

Image resample(const Image& image, const std::vector<Taps>& rows, const std::vector<Taps>& columns) {
  const int top = rows.front().first;
  const int bottom = rows.back().first + static_cast<int>(rows.back().weights.size());
  const size_t row_values = columns.size() * kChannels;
  std::vector<float> narrowed(static_cast<size_t>(bottom - top) * row_values);  // [bottom - top, width, 3]
  float* out = narrowed.data();
  for (int y = top; y < bottom; ++y) {
    const uint8_t* line = image.rgb.data() + static_cast<size_t>(y) * static_cast<size_t>(image.width) * kChannels;
    for (const Taps& taps : columns) {
      const uint8_t* in = line + static_cast<size_t>(taps.first) * kChannels;
      float sum[kChannels] = {};
      for (const float weight : taps.weights) {
        for (float& channel : sum) channel += weight * static_cast<float>(*in++);
      }
      // Overshoot is clamped between the passes, as in Pillow's 8-bit rows.
      for (const float channel : sum) *out++ = std::clamp(channel, 0.0f, 255.0f);
    }
  }

  Image result{.height = static_cast<int>(rows.size()), .width = static_cast<int>(columns.size()), .rgb = {}};
  result.rgb.reserve(rows.size() * row_values);
  std::vector<float> line(row_values);
  for (const Taps& taps : rows) {
    std::ranges::fill(line, 0.0f);
    const float* in = narrowed.data() + static_cast<size_t>(taps.first - top) * row_values;
    for (const float weight : taps.weights) {
      for (float& value : line) value += weight * *in++;
    }
    for (const float value : line) {
      result.rgb.push_back(static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L)));
    }
  }
  return result;
}

Image crop(const Image& image, int top, int left, int height, int width) {
  Image result{.height = height, .width = width, .rgb = {}};
  result.rgb.reserve(static_cast<size_t>(height) * static_cast<size_t>(width) * kChannels);
  for (int y = top; y < top + height; ++y) {
    const auto line = image.rgb.begin() + (static_cast<ptrdiff_t>(y) * image.width + left) * kChannels;
    result.rgb.insert(result.rgb.end(), line, line + static_cast<ptrdiff_t>(width) * kChannels);
  }
  return result;
}

}  // namespace

Resampling resampling_named(std::string_view name) {
  if (name == "area") return Resampling::kArea;
  if (name == "lanczos") return Resampling::kLanczos;
  if (name == "bicubic") return Resampling::kBicubic;
  const std::vector<std::string> names = {"area", "lanczos", "bicubic"};
  throw Error(ErrorKind::kType, fmt::format("dataset.resample: '{}'; expected area, lanczos or bicubic.{}", name,
                                            did_you_mean(name, names)));
}

Image fit_to_size(const Image& image, int height, int width, Resampling resampling, std::vector<std::string>& notes) {
  check(image.height > 0 && image.width > 0 && height > 0 && width > 0, "images have pixels");
  if (image.height == height && image.width == width) return image;

  // Source pixels per target pixel, the same along both axes: the tighter axis decides.
  const bool height_fits = int64_t{image.height} * width <= int64_t{image.width} * height;
  const double scale =
      height_fits ? static_cast<double>(image.height) / height : static_cast<double>(image.width) / width;
  const double box_height = std::min<double>(image.height, scale * height);
  const double box_width = std::min<double>(image.width, scale * width);
  const double top = (image.height - box_height) / 2, left = (image.width - box_width) / 2;
  const std::string from = fmt::format("from {}x{} (height x width)", image.height, image.width);
  if (scale == 1) {
    notes.push_back("cropped " + from);
    return crop(image, static_cast<int>(top), static_cast<int>(left), height,
                width);  // half a pixel would blur
  }
  const bool cropped = image.height - box_height >= 0.5 || image.width - box_width >= 0.5;
  const char* name = resampling == Resampling::kLanczos   ? "Lanczos"
                     : resampling == Resampling::kBicubic ? "bicubic"
                     : scale > 1                          ? "area"
                                                          : "bilinear";
  notes.push_back(
      fmt::format("{} {}{}, {}", scale > 1 ? "shrunk" : "enlarged", cropped ? "and cropped " : "", from, name));
  return resample(image, axis_taps(resampling, image.height, top, scale, height),
                  axis_taps(resampling, image.width, left, scale, width));
}

}  // namespace roundtrip::data
