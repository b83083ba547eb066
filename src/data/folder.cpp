// dataset=folder: the images of a folder and its subfolders.
//
// Every image is a sample, ordered by path, byte by byte. metadata.jsonl or metadata.csv (metadata.h), in the folder or
// in a subfolder, gives texts to the images that it names. Hugging Face's imagefolder layout works unchanged, with one
// difference: an image that no line names is a sample without a text here, while the imagefolder loader requires a line
// for every image. Images that lines name only as the answer or the mask of an edit are not samples. Names that start
// with a dot are skipped (macOS leaves ._x.jpg beside x.jpg), and links to folders are not followed.
#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "data/listed_dataset.h"
#include "data/metadata.h"

namespace roundtrip::data {
namespace {

namespace fs = std::filesystem;

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
      } else if (name == "metadata.jsonl" || name == "metadata.csv") {
        listing.metadata.push_back(file);
      } else {
        ++listing.others;
      }
    }
  }
  if (error) throw input_error(folder.string(), fmt::format("cannot be listed ({})", error.message()));
  std::ranges::sort(listing.images);
  std::ranges::sort(listing.metadata);
  for (size_t at = 1; at < listing.metadata.size(); ++at) {  // .csv sorts directly before .jsonl
    const fs::path above = fs::path(listing.metadata[at]).parent_path();
    if (fs::path(listing.metadata[at - 1]).parent_path() == above) {
      throw input_error((folder / above).string(), "holds both metadata.csv and metadata.jsonl", "one of them");
    }
  }
  return listing;
}

// Lines of every metadata file, with file names relative to the dataset's folder.
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

void add_line(const MetadataLine& line, ListedSample& sample, std::map<std::string, std::string>& named_in) {
  // One file may name an image again, for another edit; a second file may not.
  const std::string file = line.where.substr(0, line.where.rfind(':'));
  const auto [first, is_new] = named_in.emplace(sample.file, line.where);
  if (!is_new && first->second.substr(0, first->second.rfind(':')) != file) {
    throw input_error(line.where, fmt::format("'{}' is named at {} too", sample.file, first->second));
  }
  sample.text = line.text;
  if (line.target_text) {
    sample.edits.push_back({.name = {.name = line.edit,
                                     .target_prompt = *line.target_text,
                                     .attributes = line.attributes,
                                     .words = line.words},
                            .target = line.target_image,
                            .mask = line.mask});
  }
}

std::vector<ListedSample> list_samples(const fs::path& folder) {
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

  std::vector<ListedSample> samples;
  std::map<std::string, std::string> file_of;
  for (const std::string& file : listing.images) {
    if (answers.contains(file)) continue;
    const std::string id = id_of_file(file);
    const auto [first, is_new] = file_of.emplace(id, file);
    if (!is_new) {
      throw input_error(folder.string(), fmt::format("'{}' and '{}' are both sample '{}'", first->second, file, id),
                        "names that differ in more than their extension");
    }
    samples.push_back({.file = file, .id = id, .text = {}, .edits = {}});
  }
  if (samples.empty()) {
    throw input_error(folder.string(), fmt::format("no image among its {} files", listing.others + answers.size()),
                      "files named " + image_extensions());
  }
  std::map<std::string, ListedSample*> sample_of;
  for (ListedSample& sample : samples) sample_of.emplace(sample.file, &sample);
  std::map<std::string, std::string> named_in;
  for (const MetadataLine& line : lines) add_line(line, *sample_of.at(line.file_name), named_in);
  return samples;
}

class Folder : public ListedDataset {
 public:
  explicit Folder(const DatasetOptions& options) : ListedDataset(options, options.path, list_samples(options.path)) {}
};

const Registered<Dataset, Folder> folder({.name = "folder"});

}  // namespace
}  // namespace roundtrip::data
