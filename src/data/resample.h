// Resizing of images: scales an image so that the shorter side fits, and crops the centre.
//
// The crop is a box in the source with fractional edges. It is resampled once, separably and in float, straight to the
// requested size, without an intermediate image. Pillow's `image.resize((w, h), LANCZOS, box=box)` with the same box,
// or BICUBIC, gives the same bytes to one level. Values are averaged as stored (gamma-encoded), as in all image tools.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/sample.h"

namespace roundtrip::data {

enum class Resampling {
  kArea,     // shrinking: each pixel is the mean over its share of the source; enlarging: bilinear
  kLanczos,  // Lanczos-3, widened by the scale when shrinking so that it does not alias
  kBicubic,  // Keys' cubic with a = -0.5, widened likewise: what Pillow's resize does unless told otherwise
};

// Throws kType for any name other than "area", "lanczos" and "bicubic".
Resampling resampling_named(std::string_view name);

// Returns the same bytes if the size is already right, and a crop of whole pixels if the shorter side is. Adds what it
// did to `notes`.
Image fit_to_size(const Image& image, int height, int width, Resampling resampling, std::vector<std::string>& notes);

}  // namespace roundtrip::data
