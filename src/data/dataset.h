// A dataset: samples in a fixed order, known by id before any is read.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/sample.h"

namespace roundtrip::data {

struct DatasetOptions {
  std::string name;                           // "folder"
  std::filesystem::path path;                 // dataset.path
  std::optional<int64_t> limit;               // the first so many, after `ids`
  std::vector<std::string> ids;               // only these, in this order; empty: all
  std::optional<std::string> prompt;          // for every sample that has none of its own
  std::pair<int, int> size = {0, 0};          // height, width that samples are brought to
  std::string resample = "area";              // area or lanczos
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const std::vector<std::string>& ids() const = 0;  // sorted by path, or as `ids` named them
  virtual std::string prompt(size_t index) const = 0;       // known without reading the image
  virtual Sample read(size_t index) const = 0;              // throws kInput: that sample fails, the run goes on
};

// Throws kInput for an unknown name, a folder that is missing or holds no image, metadata that names a missing file.
std::unique_ptr<Dataset> open_dataset(const DatasetOptions& options);
std::vector<std::string> dataset_names();

}  // namespace roundtrip::data
