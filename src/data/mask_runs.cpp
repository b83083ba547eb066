#include "data/mask_runs.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip::data {
namespace {

void mark_border(std::vector<uint8_t>& pixels, int height, int width) {
  const auto w = static_cast<size_t>(width);
  for (size_t x = 0; x < w; ++x) pixels[x] = pixels[pixels.size() - w + x] = 1;
  for (size_t y = 0; y < static_cast<size_t>(height); ++y) pixels[y * w] = pixels[y * w + w - 1] = 1;
}

}  // namespace

DecodedMask decode_mask(const MaskRuns& runs, int height, int width) {
  check(height > 0 && width > 0, "images have pixels");
  const int64_t size = int64_t{height} * width;
  if (runs.list.size() % 2 != 0) {
    throw input_error(runs.where, fmt::format("{} numbers", runs.list.size()), "pairs of a start and a length");
  }
  DecodedMask mask{.pixels = std::vector<uint8_t>(static_cast<size_t>(size), 0)};
  for (size_t at = 0; at < runs.list.size(); at += 2) {
    const int64_t start = runs.list[at], length = runs.list[at + 1];
    if (start < 0 || length < 0) {
      throw input_error(runs.where, fmt::format("run {} is {}, {}", at / 2, start, length), "numbers from 0 on");
    }
    if (start > size) {
      throw input_error(runs.where, fmt::format("run {} starts at {}", at / 2, start),
                        fmt::format("a pixel of the image's {} x {}", height, width));
    }
    if (length > size - start) ++mask.overruns;
    std::fill_n(mask.pixels.begin() + start, std::min(length, size - start), uint8_t{1});
  }
  if (runs.border) mark_border(mask.pixels, height, width);
  return mask;
}

std::vector<int64_t> encode_mask(const std::vector<uint8_t>& pixels) {
  std::vector<int64_t> list;
  for (size_t at = 0; at < pixels.size();) {
    if (pixels[at] == 0) {
      ++at;
      continue;
    }
    const auto end = std::find(pixels.begin() + static_cast<ptrdiff_t>(at), pixels.end(), 0) - pixels.begin();
    list.push_back(static_cast<int64_t>(at));
    list.push_back(end - static_cast<int64_t>(at));
    at = static_cast<size_t>(end);
  }
  return list;
}

}  // namespace roundtrip::data
