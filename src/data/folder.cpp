// dataset=folder: the images of a folder and of the folders in it.
//
// Every image is a sample, ordered by path, byte by byte; metadata.jsonl (metadata.h), in the folder or in
// one below, gives texts to those that it names. Hugging Face's imagefolder layout reads as it is, with one
// difference: an image that no line names is a sample without a text here, where the imagefolder loader wants
// every image named. Names that start with a dot are passed over (macOS leaves ._x.jpg beside x.jpg), and
// links to folders not followed.
#include <algorithm>
#include <climits>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/image_file.h"
#include "data/metadata.h"
#include "data/resample.h"

namespace roundtrip::data {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostBytes = INT_MAX;  // OpenCV counts the bytes of a file in an int

struct Entry {
  std::string file;  // below the folder, with extension
  std::string id;    // without it
  std::optional<std::string> text, target_text;
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
    std::error_code ignored;  // a link that leads nowhere is no file
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

void add_texts(const fs::path& folder, const std::string& metadata, const std::vector<std::string>& images,
               const std::map<std::string, Entry*>& entry_of, std::map<std::string, std::string>& named_at) {
  for (const MetadataLine& line : read_metadata(folder / metadata)) {
    const std::string file = (fs::path(metadata).parent_path() / line.file_name).string();
    const auto found = entry_of.find(file);
    if (found == entry_of.end()) {
      std::error_code ignored;
      if (fs::exists(folder / file, ignored)) {
        throw input_error(line.where,
                          fmt::format("file_name {} is not an image that is read", name_text(line.file_name)),
                          "one of the kinds " + image_extensions());
      }
      throw input_error(line.where, fmt::format("file_name {} does not exist.{}", name_text(line.file_name),
                                                did_you_mean(file, images)));
    }
    const auto [first, is_new] = named_at.emplace(file, line.where);
    if (!is_new) throw input_error(line.where, fmt::format("'{}' is named at {} too", file, first->second));
    found->second->text = line.text;
    found->second->target_text = line.target_text;
  }
}

std::vector<Entry> read_entries(const fs::path& folder) {
  check_folder(folder);
  const Listing listing = list(folder);
  if (listing.images.empty()) {
    throw input_error(folder.string(), fmt::format("no image among its {} files", listing.others),
                      "files named " + image_extensions());
  }
  std::vector<Entry> entries;
  std::map<std::string, std::string> file_of;
  for (const std::string& file : listing.images) {
    const std::string id = fs::path(file).replace_extension().string();
    const auto [first, is_new] = file_of.emplace(id, file);
    if (!is_new) {
      throw input_error(folder.string(), fmt::format("'{}' and '{}' are both sample '{}'", first->second, file, id),
                        "names that differ in more than their extension");
    }
    entries.push_back({.file = file, .id = id, .text = {}, .target_text = {}});
  }
  std::map<std::string, Entry*> entry_of;
  for (Entry& entry : entries) entry_of.emplace(entry.file, &entry);
  std::map<std::string, std::string> named_at;
  for (const std::string& metadata : listing.metadata) {
    add_texts(folder, metadata, listing.images, entry_of, named_at);
  }
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
    const fs::path path = folder_ / entry.file;
    const std::string bytes = read_file(path, kMostBytes);
    Decoded decoded = decode_image({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, path.string());
    const auto [height, width] = size_;
    if (height > 0) decoded.image = fit_to_size(decoded.image, height, width, resampling_, decoded.notes);
    return {.id = entry.id,
            .pixels = std::move(decoded.image),
            .prompt = prompt(index),
            .target_prompt = entry.target_text,
            .digest = sha256_hex(bytes),
            .notes = std::move(decoded.notes)};
  }

 private:
  fs::path folder_;
  std::string prompt_;
  std::pair<int, int> size_;
  Resampling resampling_;
  std::vector<Entry> entries_;
  std::vector<std::string> ids_;
};

const DatasetRegistration registration{"folder",
                                       [](const DatasetOptions& options) { return std::make_unique<Folder>(options); }};

}  // namespace
}  // namespace roundtrip::data
