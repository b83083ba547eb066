// dataset=folder: the images of a folder and its subfolders.
//
// Every image is a sample, ordered by path, byte by byte. metadata.jsonl (metadata.h), in the folder or in a subfolder,
// gives texts to the images that it names. Hugging Face's imagefolder layout works unchanged, with one difference: an
// image that no line names is a sample without a text here, while the imagefolder loader requires a line for every
// image. Images that lines name only as the answer or the mask of an edit are not samples. Names that start with a dot
// are skipped (macOS leaves ._x.jpg beside x.jpg), and links to folders are not followed.
#include <algorithm>
#include <climits>
#include <map>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/image_file.h"
#include "data/metadata.h"
#include "data/resample.h"

namespace roundtrip::data {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxBytes = INT_MAX;  // OpenCV counts the bytes of a file in an int

struct Edit {
  EditName name;
  std::optional<std::string> target, mask;  // files below the folder
};

struct Entry {
  std::string file;  // below the folder, with extension
  std::string id;    // without it
  std::optional<std::string> text;
  std::vector<Edit> edits;
};

struct Listing {
  std::vector<std::string> images;
  std::vector<std::string> metadata;
  size_t others = 0;
};

void check_folder(const fs::path& folder) {
  std::error_code error;
  if (folder.empty()) throw input_error("dataset.path", "is empty", "a folder of images");
  const fs::file_status status = fs::status(folder, error);
  if (!fs::exists(status)) throw input_error("dataset.path", fmt::format("'{}' does not exist", folder.string()));
  if (!fs::is_directory(status)) {
    throw input_error("dataset.path", fmt::format("'{}' is a file", folder.string()), "a folder of images");
  }
}

Listing list(const fs::path& folder) {
  Listing listing;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;  // a broken link is not a file
    if (name.starts_with('.')) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file(ignored)) {
      const std::string file = at->path().lexically_relative(folder).string();
      if (!is_utf8(file)) {
        throw input_error(folder.string(), fmt::format("a file name in it is not UTF-8 ({} bytes)", file.size()),
                          "names that the results file can hold");
      }
      if (is_image_name(file)) {
        listing.images.push_back(file);
      } else if (name == "metadata.jsonl") {
        listing.metadata.push_back(file);
      } else {
        ++listing.others;
        if (name == "metadata.csv") {
          spdlog::warn("{}: not read; its texts are taken from metadata.jsonl only", at->path().string());
        }
      }
    }
  }
  if (error) throw input_error(folder.string(), fmt::format("cannot be listed ({})", error.message()));
  std::ranges::sort(listing.images);
  std::ranges::sort(listing.metadata);
  return listing;
}

// Lines of every metadata.jsonl, with file names relative to the dataset's folder.
std::vector<MetadataLine> read_lines(const fs::path& folder, const Listing& listing) {
  std::vector<MetadataLine> lines;
  for (const std::string& metadata : listing.metadata) {
    const fs::path from = fs::path(metadata).parent_path();
    for (MetadataLine& line : read_metadata(folder / metadata)) {
      line.file_name = (from / line.file_name).string();
      if (line.target_image) line.target_image = (from / *line.target_image).string();
      if (line.mask) line.mask = (from / *line.mask).string();
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

void check_image(const fs::path& folder, const Listing& listing, const MetadataLine& line, const char* key,
                 const std::string& file) {
  if (std::ranges::binary_search(listing.images, file)) return;
  std::error_code ignored;
  if (fs::exists(folder / file, ignored)) {
    throw input_error(line.where, fmt::format("{} {} is not an image that is read", key, name_text(file)),
                      "one of the kinds " + image_extensions());
  }
  throw input_error(line.where,
                    fmt::format("{} {} does not exist.{}", key, name_text(file), did_you_mean(file, listing.images)));
}

void add_line(const MetadataLine& line, Entry& entry, std::map<std::string, std::string>& named_in) {
  // One metadata.jsonl may name an image again, for another edit; a second metadata.jsonl may not.
  const std::string file = line.where.substr(0, line.where.rfind(':'));
  const auto [first, is_new] = named_in.emplace(entry.file, line.where);
  if (!is_new && first->second.substr(0, first->second.rfind(':')) != file) {
    throw input_error(line.where, fmt::format("'{}' is named at {} too", entry.file, first->second));
  }
  entry.text = line.text;
  if (line.target_text) {
    entry.edits.push_back({.name = {.name = line.edit,
                                    .target_prompt = *line.target_text,
                                    .attributes = line.attributes,
                                    .words = line.words},
                           .target = line.target_image,
                           .mask = line.mask});
  }
}

// One text for the digest; empty where there are no words, so that images without any keep the digest they had.
std::string text_of(const EditWords& words) {
  if (words == EditWords()) return "";
  return nlohmann::json::array({words.blend_source, words.blend_target, words.equalizer}).dump();
}

std::vector<Entry> read_entries(const fs::path& folder) {
  check_folder(folder);
  const Listing listing = list(folder);
  const std::vector<MetadataLine> lines = read_lines(folder, listing);
  std::set<std::string> answers;
  for (const MetadataLine& line : lines) {
    check_image(folder, listing, line, "file_name", line.file_name);
    for (const auto& [key, file] : {std::pair("target_image", line.target_image), std::pair("mask", line.mask)}) {
      if (!file) continue;
      check_image(folder, listing, line, key, *file);
      answers.insert(*file);
    }
  }
  for (const MetadataLine& line : lines) answers.erase(line.file_name);

  std::vector<Entry> entries;
  std::map<std::string, std::string> file_of;
  for (const std::string& file : listing.images) {
    if (answers.contains(file)) continue;
    const std::string id = fs::path(file).replace_extension().string();
    const auto [first, is_new] = file_of.emplace(id, file);
    if (!is_new) {
      throw input_error(folder.string(), fmt::format("'{}' and '{}' are both sample '{}'", first->second, file, id),
                        "names that differ in more than their extension");
    }
    entries.push_back({.file = file, .id = id, .text = {}, .edits = {}});
  }
  if (entries.empty()) {
    throw input_error(folder.string(), fmt::format("no image among its {} files", listing.others + answers.size()),
                      "files named " + image_extensions());
  }
  std::map<std::string, Entry*> entry_of;
  for (Entry& entry : entries) entry_of.emplace(entry.file, &entry);
  std::map<std::string, std::string> named_in;
  for (const MetadataLine& line : lines) add_line(line, *entry_of.at(line.file_name), named_in);
  return entries;
}

class Folder : public Dataset {
 public:
  explicit Folder(const DatasetOptions& options)
      : folder_(options.path),
        prompt_(options.prompt.value_or("")),
        size_(options.size),
        resampling_(resampling_named(options.resample)) {
    const std::vector<Entry> all = read_entries(folder_);
    std::vector<std::string> all_ids;
    for (const Entry& entry : all) all_ids.push_back(entry.id);
    for (const size_t index : choose_samples(all_ids, options)) {
      entries_.push_back(all[index]);
      ids_.push_back(all[index].id);
    }
  }

  const std::vector<std::string>& ids() const override { return ids_; }

  std::string prompt(size_t index) const override { return entries_.at(index).text.value_or(prompt_); }

  Sample read(size_t index) const override {
    const Entry& entry = entries_.at(index);
    Decoded decoded = decode(entry.file);
    decoded.image = fitted(decoded.image, decoded.notes);
    return {
        .id = entry.id, .pixels = std::move(decoded.image), .prompt = prompt(index), .notes = std::move(decoded.notes)};
  }

  std::string digest(size_t index) const override {
    const Entry& entry = entries_.at(index);
    Hasher hasher;
    hasher.add(sha256_hex_of_file(folder_ / entry.file)).add(prompt(index));
    for (const Edit& edit : entry.edits) {
      hasher.add(edit.name.name).add(edit.name.target_prompt);
      for (const auto& [key, value] : edit.name.attributes) hasher.add(key).add(value);
      for (const std::optional<std::string>& file : {edit.target, edit.mask}) {
        hasher.add(file ? sha256_hex_of_file(folder_ / *file) : std::string());
      }
      if (const std::string words = text_of(edit.name.words); !words.empty()) hasher.add(words);
    }
    return hasher.hex();
  }

  std::vector<EditName> edits(size_t index) const override {
    std::vector<EditName> names;
    for (const Edit& edit : entries_.at(index).edits) names.push_back(edit.name);
    return names;
  }

  EditTruth read_edit(size_t index, size_t number) const override {
    const Entry& entry = entries_.at(index);
    const Edit& edit = entry.edits.at(number);
    EditTruth truth;
    if (!edit.target && !edit.mask) return truth;
    const Image source = decode(entry.file).image;
    std::vector<std::string> resized;
    if (edit.target) truth.target = fitted(read_beside(source, entry, *edit.target), resized);
    if (edit.mask) truth.mask = read_mask(read_beside(source, entry, *edit.mask), truth.notes);
    return truth;
  }

 private:
  Decoded decode(const std::string& file) const {
    const fs::path path = folder_ / file;
    const std::string bytes = read_file(path, kMaxBytes);
    return decode_image({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, path.string());
  }

  Image fitted(const Image& image, std::vector<std::string>& notes) const {
    const auto [height, width] = size_;
    return height > 0 ? fit_to_size(image, height, width, resampling_, notes) : image;
  }

  // Reads the target or the mask that belongs to an image.
  Image read_beside(const Image& source, const Entry& entry, const std::string& file) const {
    Image image = decode(file).image;
    if (image.height != source.height || image.width != source.width) {
      throw input_error((folder_ / file).string(), fmt::format("{} x {} pixels", image.height, image.width),
                        fmt::format("{} x {} as in {}", source.height, source.width, entry.file));
    }
    return image;
  }

  std::vector<uint8_t> read_mask(Image image, std::vector<std::string>& notes) const {
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

  fs::path folder_;
  std::string prompt_;
  std::pair<int, int> size_;
  Resampling resampling_;
  std::vector<Entry> entries_;
  std::vector<std::string> ids_;
};

const Registered<Dataset, Folder> folder({.name = "folder"});

}  // namespace
}  // namespace roundtrip::data
