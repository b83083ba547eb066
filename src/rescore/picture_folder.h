// A folder of pictures that another program made for the edits of a dataset, found by their names.
//
// A picture is named by its sample, below the folder and without its extension, as the dataset's own images are:
// EDITS/0_random_140/000000000000.png. The folder may have the pictures below annotation_images/, as the released code
// of PIE-Bench writes them. If an image has several edits, the edit's name follows: EDITS/000000-colour.png.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "data/sample.h"

namespace roundtrip::rescore {

class PictureFolder {
 public:
  // Throws kInput if the folder does not exist or has no picture.
  explicit PictureFolder(std::filesystem::path folder);

  // Returns the file of an edit; `edit` is empty where an image has one edit. Throws kInput if there is none, or more
  // than one.
  std::filesystem::path find(const std::string& sample, const std::string& edit);

  // Names of the pictures that find() has not returned, sorted.
  std::vector<std::string> unused() const;
  size_t pictures() const { return files_.size(); }

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::vector<std::string>> files_;  // below the folder, by name without extension
  std::set<std::string> used_;
};

// Returns the part of a picture that belongs to a source of this size. Published code writes panels side by side, of
// which the right-most is the result: a picture as high as the source and several times as wide is cut to it. Adds to
// `notes` what it did. Throws kInput with `name` for a picture of any other size.
data::Image panel_of(const data::Image& picture, int height, int width, const std::string& name,
                     std::vector<std::string>& notes);

}  // namespace roundtrip::rescore
