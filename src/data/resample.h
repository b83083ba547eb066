// Brings an image to a size: scaled so that the shorter side fits, the centre cropped.
//
// The crop is a box in the source with fractional edges, resampled once and separably, in float, straight to
// the size that is wanted; there is no image in between. Pillow's `image.resize((w, h), LANCZOS, box=box)`
// with the same box gives the same bytes to one level. Values are averaged as stored (gamma-encoded), as all
// image tools do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/sample.h"

namespace roundtrip::data {

enum class Resampling {
  kArea,     // shrinking: each pixel is the mean over its share of the source; enlarging: bilinear
  kLanczos,  // Lanczos-3, widened by the scale when shrinking so that it does not alias
};

// Throws kType for any other name than "area" and "lanczos".
Resampling resampling_named(std::string_view name);

// The same bytes where the size is already right, and a crop of whole pixels where the shorter side is.
// Says in `notes` what it did.
Image fit_to_size(const Image& image, int height, int width, Resampling resampling, std::vector<std::string>& notes);

}  // namespace roundtrip::data
