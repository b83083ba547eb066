#include "analysis/report/saved_pictures.h"

#include <algorithm>

#include <fmt/format.h>

#include "analysis/figure/markup.h"

namespace roundtrip::analysis {
namespace {

constexpr int kMostPixels = 128;

// A plane of bytes as a grey picture.
Picture grey(const store::Array& array, size_t plane) {
  const size_t dims = array.shape.size();
  Picture picture{.height = static_cast<int>(array.shape[dims - 2]), .width = static_cast<int>(array.shape[dims - 1])};
  const size_t pixels = static_cast<size_t>(picture.height) * picture.width;
  picture.rgb.reserve(pixels * 3);
  for (size_t pixel = 0; pixel < pixels; ++pixel) {
    picture.rgb.insert(picture.rgb.end(), 3, static_cast<uint8_t>(array.bytes[plane * pixels + pixel]));
  }
  return picture;
}

}  // namespace

std::string path_of(const std::string& group, int64_t row) { return group + "/" + std::to_string(row); }

std::optional<Picture> picture_of(const Results& run, const std::string& group, int64_t row) {
  const std::string path = path_of(group, row);
  if (!run.reader().has_array(path)) return std::nullopt;
  const store::Array array = run.reader().array(path);
  if (array.type != store::ArrayType::kUint8 || array.shape.size() != 3 || array.shape[2] != 3) return std::nullopt;
  Picture picture{.height = static_cast<int>(array.shape[0]), .width = static_cast<int>(array.shape[1])};
  picture.rgb.reserve(array.bytes.size());
  for (const std::byte byte : array.bytes) picture.rgb.push_back(static_cast<uint8_t>(byte));
  return picture;
}

std::string picture_html(const Picture& picture, const std::string& caption, const std::string& alt) {
  const Picture small = reduced(picture, kMostPixels);
  return fmt::format(
      "<figure><img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\"><figcaption>{}</figcaption></figure>\n",
      png_data_uri(small), small.width, small.height, escaped(alt), caption);
}

std::vector<BoundingMap> bounding_maps(const Results& run, int64_t row) {
  std::vector<BoundingMap> maps;
  const auto add = [&](const char* group, const std::vector<std::string>& captions) {
    const std::string path = path_of(group, row);
    if (!run.reader().has_array(path)) return;
    const store::Array array = run.reader().array(path);
    const size_t dims = array.shape.size();
    const bool fits =
        dims == 2 ? captions.size() == 1 : dims == 3 && array.shape[0] == static_cast<int64_t>(captions.size());
    if (array.type != store::ArrayType::kUint8 || !fits) return;
    for (size_t plane = 0; plane < captions.size(); ++plane) maps.push_back({captions[plane], grey(array, plane)});
  };
  add("blend_masks", {"region of the edit"});
  add("word_maps", {"attention to the words, source", "attention to the words, target"});
  return maps;
}

}  // namespace roundtrip::analysis
