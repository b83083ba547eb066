// A dataset: samples in a fixed order, whose ids are known before any sample is read.
//
// A kind of dataset is one source file, which registers a class (folder.cpp shows how), and one config file in
// configs/dataset. Nothing else is edited. The class reads its own keys, beyond the shared ones, from `params`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/registry.h"
#include "config/params.h"
#include "data/sample.h"

namespace roundtrip::data {

// Keys that all kinds of dataset share, and the section with the kind's own keys.
struct DatasetOptions {
  std::string name;                   // "folder"
  std::filesystem::path path;         // dataset.path
  std::optional<int64_t> limit;       // only the first N, after `ids`; at least 1
  std::vector<std::string> ids;       // only these, in this order; empty: all
  std::optional<std::string> prompt;  // for every sample without a prompt of its own
  std::pair<int, int> size = {0, 0};  // height, width that samples are brought to; {0, 0} leaves them as they are
  std::string resample = "area";      // area or lanczos
  config::Params params = {};         // dataset.<key>, the kind's own
  bool operator==(const DatasetOptions&) const = default;
};

struct DatasetInfo {
  static constexpr PluginKind kKind{.noun = "dataset", .key = "dataset.name", .unknown = ErrorKind::kInput};
  std::string name;
};

class Dataset {
 public:
  using Plugins = Registry<Dataset, DatasetInfo, const DatasetOptions&>;

  virtual ~Dataset() = default;
  virtual const std::vector<std::string>& ids() const = 0;  // sorted by path, or in the order of the `ids` option
  virtual std::string prompt(size_t index) const = 0;       // known without reading the image
  virtual Sample read(size_t index) const = 0;              // throws kInput: that sample fails, the run continues

  // SHA-256 over everything that a sample's records depend on: the bytes of its files, its prompt, its edits. Throws
  // kInput if a file cannot be read.
  virtual std::string digest(size_t index) const = 0;

  // Edits of a sample, and the answer to one edit. Pass the Sample::stored of a sample that was read already; without
  // it, the image is decoded again if the answer depends on its size. Throws kInput for a target or mask of another
  // size than the image.
  virtual std::vector<EditName> edits(size_t) const { return {}; }
  virtual EditTruth read_edit(size_t, size_t, const std::optional<ImageSize>&) const { return {}; }
  EditTruth read_edit(size_t index, size_t number) const { return read_edit(index, number, std::nullopt); }
};

// Throws kInput for an unknown name, a folder that is missing or has no image, metadata that names a missing file, and
// an id that the dataset does not have. Throws kType for an invalid limit, size or resampling, and for a wrong or
// unknown parameter.
std::unique_ptr<Dataset> open_dataset(const DatasetOptions& options);
std::vector<std::string> dataset_names();  // sorted

// Positions in `all` that `ids` and `limit` select, in order. For the implementations of datasets.
std::vector<size_t> choose_samples(const std::vector<std::string>& all, const DatasetOptions& options);

}  // namespace roundtrip::data
