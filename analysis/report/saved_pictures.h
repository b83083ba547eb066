// Pictures that a run saved: the groups images/ (the results), sources/ and targets/ of its results file, and of edits
// that words bounded blend_masks/ and word_maps/. A file has those that save.images kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/figure/png.h"
#include "analysis/table/results.h"

namespace roundtrip::analysis {

std::string path_of(const std::string& group, int64_t row);

// Null if the results file has no such picture.
std::optional<Picture> picture_of(const Results& run, const std::string& group, int64_t row);

// A map that bounded an edit: its region (white where the edit was kept), or the attention to the words of one prompt.
struct BoundingMap {
  std::string caption;
  Picture picture;
};
std::vector<BoundingMap> bounding_maps(const Results& run, int64_t row);

std::string picture_html(const Picture& picture, const std::string& caption, const std::string& alt);

}  // namespace roundtrip::analysis
