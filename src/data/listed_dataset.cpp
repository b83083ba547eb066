#include "data/listed_dataset.h"

#include <algorithm>
#include <climits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

namespace roundtrip::data {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxBytes = INT_MAX;  // OpenCV counts the bytes of a file in an int

// One text for the digest; empty where there are no words, so that images without any keep the digest they had.
std::string text_of(const EditWords& words) {
  if (words == EditWords()) return "";
  return nlohmann::json::array({words.blend_source, words.blend_target, words.equalizer}).dump();
}

// Likewise for a mask that is not a file.
std::string text_of(const std::optional<MaskRuns>& runs) {
  if (!runs) return "";
  return nlohmann::json::array({runs->border ? "runs and border" : "runs", runs->list}).dump();
}

ImageSize size_of(const Image& image) { return {.height = image.height, .width = image.width}; }

Image as_image(const DecodedMask& mask, int height, int width) {
  Image image{.height = height, .width = width, .rgb = {}};
  image.rgb.reserve(mask.pixels.size() * 3);
  for (const uint8_t pixel : mask.pixels) image.rgb.insert(image.rgb.end(), 3, pixel != 0 ? 255 : 0);
  return image;
}

}  // namespace

ListedDataset::ListedDataset(const DatasetOptions& options, fs::path folder, const std::vector<ListedSample>& samples)
    : folder_(std::move(folder)),
      prompt_(options.prompt.value_or("")),
      size_(options.size),
      resampling_(resampling_named(options.resample)) {
  std::vector<std::string> all;
  for (const ListedSample& sample : samples) all.push_back(sample.id);
  for (const size_t index : choose_samples(all, options)) {
    samples_.push_back(samples[index]);
    ids_.push_back(all[index]);
  }
}

std::string ListedDataset::prompt(size_t index) const { return samples_.at(index).text.value_or(prompt_); }

Sample ListedDataset::read(size_t index) const {
  const ListedSample& sample = samples_.at(index);
  Decoded decoded = decode(sample.file);
  const ImageSize stored = size_of(decoded.image);
  return {.id = sample.id,
          .pixels = fitted(std::move(decoded.image), decoded.notes),
          .stored = stored,
          .prompt = prompt(index),
          .notes = std::move(decoded.notes)};
}

std::string ListedDataset::digest(size_t index) const {
  const ListedSample& sample = samples_.at(index);
  Hasher hasher;
  hasher.add(sha256_hex_of_file(folder_ / sample.file)).add(prompt(index));
  for (const ListedEdit& edit : sample.edits) {
    hasher.add(edit.name.name).add(edit.name.target_prompt);
    for (const auto& [key, value] : edit.name.attributes) hasher.add(key).add(value);
    for (const std::optional<std::string>& file : {edit.target, edit.mask}) {
      hasher.add(file ? sha256_hex_of_file(folder_ / *file) : std::string());
    }
    for (const std::string& text : {text_of(edit.name.words), text_of(edit.runs)}) {
      if (!text.empty()) hasher.add(text);
    }
  }
  return hasher.hex();
}

std::vector<EditName> ListedDataset::edits(size_t index) const {
  std::vector<EditName> names;
  for (const ListedEdit& edit : samples_.at(index).edits) names.push_back(edit.name);
  return names;
}

EditTruth ListedDataset::read_edit(size_t index, size_t number, const std::optional<ImageSize>& stored) const {
  const ListedSample& sample = samples_.at(index);
  const ListedEdit& edit = sample.edits.at(number);
  EditTruth truth{.notes = edit.notes};
  if (!edit.target && !edit.mask && !edit.runs) return truth;
  const ImageSize source = stored ? *stored : size_of(decode(sample.file).image);
  std::vector<std::string> resized;
  if (edit.target) truth.target = fitted(read_beside(source, sample, *edit.target), resized);
  if (edit.mask) truth.mask = fitted_mask(read_beside(source, sample, *edit.mask), truth.notes);
  if (edit.runs) {
    const DecodedMask mask = decode_mask(*edit.runs, source.height, source.width);
    truth.overruns = mask.overruns;
    if (mask.overruns > 0) {
      truth.notes.push_back(fmt::format("{} runs of the mask go past the image and were clipped", mask.overruns));
    }
    truth.mask = fitted_mask(as_image(mask, source.height, source.width), truth.notes);
  }
  return truth;
}

Decoded ListedDataset::decode(const std::string& file) const {
  const fs::path path = folder_ / file;
  const std::string bytes = read_file(path, kMaxBytes);
  return decode_image({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, path.string());
}

Image ListedDataset::fitted(Image image, std::vector<std::string>& notes) const {
  const auto [height, width] = size_;
  return height > 0 ? fit_to_size(image, height, width, resampling_, notes) : std::move(image);
}

// Reads the target or the mask that belongs to an image.
Image ListedDataset::read_beside(ImageSize source, const ListedSample& sample, const std::string& file) const {
  Image image = decode(file).image;
  if (size_of(image) != source) {
    throw input_error((folder_ / file).string(), fmt::format("{} x {} pixels", image.height, image.width),
                      fmt::format("{} x {} as in {}", source.height, source.width, sample.file));
  }
  return image;
}

std::vector<uint8_t> ListedDataset::fitted_mask(Image image, std::vector<std::string>& notes) const {
  for (uint8_t& value : image.rgb) value = value >= 128 ? 255 : 0;
  std::vector<std::string> resized;
  const auto [height, width] = size_;
  // Always area, however the images are resized: a pixel may change if any of its source pixels may.
  if (height > 0) image = fit_to_size(image, height, width, Resampling::kArea, resized);
  std::vector<uint8_t> mask(image.rgb.size() / 3);
  for (size_t pixel = 0; pixel < mask.size(); ++pixel) mask[pixel] = image.rgb[pixel * 3] > 0;
  const auto marked = static_cast<size_t>(std::ranges::count(mask, 1));
  if (marked == 0) notes.push_back("the mask is empty: all of the image counts as background");
  if (marked == mask.size()) notes.push_back("the mask is full: the edit leaves no background to score");
  return mask;
}

std::string id_of_file(const std::string& file) { return fs::path(file).replace_extension().string(); }

std::string below_the_folder(const std::string& what, const std::string& file, const std::string& where,
                             const char* folder) {
  const fs::path path = fs::path(file).lexically_normal();
  if (file.empty() || path.is_absolute() || path == "." || path.begin()->string() == "..") {
    throw input_error(where, fmt::format("{} is {}", what, name_text(file)), fmt::format("a path below {}", folder));
  }
  return path.string();
}

}  // namespace roundtrip::data
