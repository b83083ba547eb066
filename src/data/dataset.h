// A dataset: samples in a fixed order, known by id before any is read.
//
// A kind of dataset is one source file of its own, which registers a class (folder.cpp shows how), and one config file
// in configs/dataset; nothing else is edited. What it needs beside the shared keys it reads from `params`.
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

// The keys that every kind of dataset has, and the section with its own.
struct DatasetOptions {
  std::string name;                   // "folder"
  std::filesystem::path path;         // dataset.path
  std::optional<int64_t> limit;       // only the first N, after `ids`; at least 1
  std::vector<std::string> ids;       // only these, in this order; empty: all
  std::optional<std::string> prompt;  // for every sample that has none of its own
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
  virtual const std::vector<std::string>& ids() const = 0;  // sorted by path, or as `ids` named them
  virtual std::string prompt(size_t index) const = 0;       // known without reading the image
  virtual Sample read(size_t index) const = 0;              // throws kInput: that sample fails, the run goes on

  // SHA-256 over all that a sample's records depend on: the bytes of its files, its prompt, its edits. Throws kInput
  // where a file cannot be read.
  virtual std::string digest(size_t index) const = 0;

  // Of a sample, and of an edit of a sample. A target or a mask of another size than the image throws kInput.
  virtual std::vector<EditName> edits(size_t) const { return {}; }
  virtual EditTruth read_edit(size_t, size_t) const { return {}; }
};

// Throws kInput for an unknown name, a folder that is missing or holds no image, metadata that names a
// missing file and an id that the dataset does not have; kType for a limit, size or resampling that makes no
// sense, and for a parameter that is wrong or that this kind does not have.
std::unique_ptr<Dataset> open_dataset(const DatasetOptions& options);
std::vector<std::string> dataset_names();  // sorted

// For datasets: the positions in `all` that `ids` and `limit` choose, in order.
std::vector<size_t> choose_samples(const std::vector<std::string>& all, const DatasetOptions& options);

}  // namespace roundtrip::data
