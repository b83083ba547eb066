// A dataset of image files of one folder, whose samples and edits are listed before any image is read.
//
// The kinds of dataset differ in how they come by the list (folder.cpp, mapping.cpp, pie.cpp, coco.cpp). What a sample,
// the answer to an edit, a mask and a digest are is decided here, once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "data/image_file.h"
#include "data/mask_runs.h"
#include "data/resample.h"

namespace roundtrip::data {

struct ListedEdit {
  EditName name;
  std::optional<std::string> target = {}, mask = {};  // files below the folder
  std::optional<MaskRuns> runs = {};                  // the mask, if it is not a file
  std::vector<std::string> notes = {};                // what was noticed in the list; the edit's records repeat it
};

struct ListedSample {
  std::string file;                      // below the folder, with extension
  std::string id;                        // unique
  std::optional<std::string> text = {};  // without one, dataset.prompt
  std::vector<ListedEdit> edits = {};
};

class ListedDataset : public Dataset {
 public:
  // Throws kInput for `ids` that the list does not have.
  ListedDataset(const DatasetOptions& options, std::filesystem::path folder, const std::vector<ListedSample>& samples);

  const std::vector<std::string>& ids() const override { return ids_; }
  std::string prompt(size_t index) const override;
  Sample read(size_t index) const override;
  std::string digest(size_t index) const override;
  std::vector<EditName> edits(size_t index) const override;
  using Dataset::read_edit;
  EditTruth read_edit(size_t index, size_t number, const std::optional<ImageSize>& stored) const override;

 private:
  Decoded decode(const std::string& file) const;
  Image fitted(Image image, std::vector<std::string>& notes) const;
  Image read_beside(ImageSize source, const ListedSample& sample, const std::string& file) const;
  std::vector<uint8_t> fitted_mask(Image image, std::vector<std::string>& notes) const;

  std::filesystem::path folder_;
  std::string prompt_;
  std::pair<int, int> size_;
  Resampling resampling_;
  std::vector<ListedSample> samples_;
  std::vector<std::string> ids_;
};

// `file` without its extension: the id of a sample.
std::string id_of_file(const std::string& file);

// Returns `file` normalised. Throws kInput naming `what` ("file_name") for a path that leads out of the folder or is
// none. The check is lexical: an image that is a link elsewhere is still in the folder.
std::string below_the_folder(const std::string& what, const std::string& file, const std::string& where,
                             const char* folder = "the folder of the metadata");

}  // namespace roundtrip::data
