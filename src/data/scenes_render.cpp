// Painter of scenes. OpenCV draws an object's coverage at four times the resolution. It is averaged and used to mix
// colours, and the grain is added last. Coverage depends on integers alone, so a picture is the same on every machine.
//
// The grain varies colour, not brightness: it sums to zero over a pixel's channels. Grey grain of this strength on flat
// ground moves any codec that smooths it 0.08 away in LPIPS, more than anything else that it could lose.
#include "data/scenes_render.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "base/noise.h"

namespace roundtrip::data::scenes {
namespace {

constexpr int kFiner = 4;       // subpixels along a side
constexpr int kShift = 4;       // fractional bits of OpenCV's fixed-point corners
constexpr double kGrain = 2;    // standard deviation, of 255
constexpr double kTexture = 3;  // amplitude of a wave, of 255

using Rgb = std::array<double, 3>;
constexpr int kWhole = kFiner * kFiner;
using Coverage = std::array<uint8_t, kSide * kSide>;  // number of a pixel's subpixels that are covered

constexpr std::array<Rgb, kColours.size()> kObjectRgb = {
    {{208, 40, 44}, {244, 208, 48}, {44, 84, 208}, {136, 56, 168}, {234, 234, 234}, {28, 28, 32}}};
constexpr std::array<Rgb, kBackgrounds.size()> kBackgroundRgb = {
    {{88, 160, 88}, {144, 144, 148}, {232, 172, 188}, {128, 92, 60}, {88, 184, 192}}};

// Radius of the circle with the size's area, and the centres of the places, in pixels.
constexpr std::array<double, kSizes.size()> kRadius = {6.5, 10.5};
constexpr std::array<double, kPlaces.size()> kCentre = {16, 32, 48};

// Corners as distances from the centre, in radii, at equal angles from straight up on. All shapes of a size look
// equally large.
std::vector<double> corners(Shape shape) {
  switch (shape) {
    case Shape::kCircle:
      return std::vector<double>(48, 1.0);
    case Shape::kSquare:
      return {0, 1.25, 0, 1.25, 0, 1.25, 0, 1.25};
    case Shape::kTriangle:
      return std::vector<double>(3, 1.4);
    case Shape::kStar:
      return {1.4, 0.6, 1.4, 0.6, 1.4, 0.6, 1.4, 0.6, 1.4, 0.6};
  }
  return {};
}

Coverage coverage_of(const Object& object, const Nuisance& nuisance) {
  const size_t place = static_cast<size_t>(object.place);
  const Nuisance::Spot& spot = nuisance.spots.at(place);
  const double radius = kRadius.at(static_cast<size_t>(object.size)) * spot.scale;
  const std::vector<double> distances = corners(object.shape);
  std::vector<cv::Point> points;
  for (size_t corner = 0; corner < distances.size(); ++corner) {
    if (distances[corner] == 0) continue;
    const double angle =
        spot.angle + 2 * std::numbers::pi * static_cast<double>(corner) / static_cast<double>(distances.size());
    const double x = kCentre.at(place) + spot.x + distances[corner] * radius * std::sin(angle);
    const double y = kSide / 2.0 + spot.y - distances[corner] * radius * std::cos(angle);
    constexpr double kUnits = kFiner << kShift;
    points.emplace_back(static_cast<int>(std::lround(x * kUnits)), static_cast<int>(std::lround(y * kUnits)));
  }
  cv::Mat fine(kSide * kFiner, kSide * kFiner, CV_8U, cv::Scalar(0));
  cv::fillPoly(fine, std::vector<std::vector<cv::Point>>{points}, cv::Scalar(1), cv::LINE_8, kShift);
  Coverage coverage;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      int inside = 0;
      for (int dy = 0; dy < kFiner; ++dy) {
        const uint8_t* row = fine.ptr(y * kFiner + dy) + x * kFiner;
        for (int dx = 0; dx < kFiner; ++dx) inside += row[dx];
      }
      coverage[static_cast<size_t>(y * kSide + x)] = static_cast<uint8_t>(inside);
    }
  }
  return coverage;
}

// Maps two deviates to one for each channel, of the same deviation; the three sum to zero.
Rgb grain_of(double a, double b) { return {a, -a / 2 + b * std::sqrt(0.75), -a / 2 - b * std::sqrt(0.75)}; }

double texture_at(const std::array<Wave, 2>& waves, double x, double y) {
  double sum = 0;
  for (const Wave& wave : waves) {
    sum += kTexture * std::sin(2 * std::numbers::pi * (wave.across * x + wave.down * y) / kSide + wave.phase);
  }
  return sum;
}

}  // namespace

Image render(const Description& description, const Nuisance& nuisance) {
  std::vector<Coverage> coverages;
  for (const Object& object : description.objects) coverages.push_back(coverage_of(object, nuisance));
  std::array<double, 2 * kSide * kSide> deviates;
  fill_normal(std::span<double>(deviates),
              {.seed = nuisance.seed, .sample = nuisance.id, .purpose = NoisePurpose::kScene});
  const Rgb& background = kBackgroundRgb.at(static_cast<size_t>(description.background));

  Image image{.height = kSide, .width = kSide, .rgb = std::vector<uint8_t>(kSide * kSide * 3)};
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const size_t pixel = static_cast<size_t>(y * kSide + x);
      const double light = nuisance.light * (1 + nuisance.slope_across * (x + 0.5 - kSide / 2.0) / (kSide / 2.0) +
                                             nuisance.slope_down * (y + 0.5 - kSide / 2.0) / (kSide / 2.0));
      const double texture = texture_at(nuisance.texture, x, y);
      const Rgb grain = grain_of(deviates[2 * pixel], deviates[2 * pixel + 1]);
      for (size_t channel = 0; channel < 3; ++channel) {
        double value = background[channel] * light + texture;
        for (size_t object = 0; object < coverages.size(); ++object) {
          const double covered = coverages[object][pixel] / static_cast<double>(kWhole);
          const Rgb& colour = kObjectRgb.at(static_cast<size_t>(description.objects[object].colour));
          value += covered * (colour[channel] * light - value);
        }
        image.rgb[pixel * 3 + channel] =
            static_cast<uint8_t>(std::lround(std::clamp(value + kGrain * grain[channel], 0.0, 255.0)));
      }
    }
  }
  return image;
}

Image change_mask(const Description& from, const Description& to, const Nuisance& nuisance) {
  std::array<bool, kSide * kSide> changes{};
  std::array<int, kSide * kSide> from_covered{}, to_covered{};
  for (size_t p = 0; p < kPlaces.size(); ++p) {
    const auto at_place = [&](const Description& description) -> const Object* {
      const auto found = std::ranges::find(description.objects, static_cast<Place>(p), &Object::place);
      return found == description.objects.end() ? nullptr : &*found;
    };
    const Object *before = at_place(from), *after = at_place(to);
    const Coverage none{};
    const Coverage from_here = before ? coverage_of(*before, nuisance) : none;
    const Coverage to_here = after ? coverage_of(*after, nuisance) : none;
    const bool recoloured = before && after && before->colour != after->colour;
    for (size_t pixel = 0; pixel < changes.size(); ++pixel) {
      changes[pixel] |= from_here[pixel] != to_here[pixel] || (recoloured && from_here[pixel] > 0);
      from_covered[pixel] += from_here[pixel];
      to_covered[pixel] += to_here[pixel];
    }
  }
  Image mask{.height = kSide, .width = kSide, .rgb = std::vector<uint8_t>(kSide * kSide * 3)};
  for (size_t pixel = 0; pixel < changes.size(); ++pixel) {
    const bool ground_seen = from_covered[pixel] < kWhole || to_covered[pixel] < kWhole;
    const bool may_differ = changes[pixel] || (from.background != to.background && ground_seen);
    std::fill_n(mask.rgb.begin() + static_cast<ptrdiff_t>(pixel * 3), 3, may_differ ? 255 : 0);
  }
  return mask;
}

}  // namespace roundtrip::data::scenes
