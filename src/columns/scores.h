// Columns of a metric: its own, and those of other views of the picture. A view may have a codec floor too:
// "codec_background_psnr" is that of encoding and decoding alone, over the background.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/record.h"

namespace roundtrip::columns {

enum class View {
  kCodec,             // encoding and decoding alone, without diffusion
  kEdit,              // an edit against its exact answer
  kBackground,        // over the part that an edit may not change
  kZeroedBackground,  // both pictures 0 where an edit may change them, as in PIE-Bench's tables
  kEditedPart,        // of a caption: the picture 0 where the edit may not change it
  kSource,            // of a caption: the source and its own prompt
};

// Subjects that a metric compares, as stored with its columns.
inline constexpr const char* kPictures = "pictures";
inline constexpr const char* kLatents = "latents";
inline constexpr const char* kCaption = "caption";
inline constexpr const char* kOfEdit = "edit";  // a mask or an answer, which only edits have

std::string view_name(View view);                                    // "background_zeroed"
std::string score_name(View view, const std::string& metric);        // "background_zeroed_psnr"
store::Column score_column(View view, const store::Column& metric);  // `metric` is the metric's own column

bool is_view(const store::Column& column, View view);

// Returns the leading measure: for edits the distance from their answers, else the first by order. May be nullptr.
const store::Column* leading_score(std::span<const store::Column> columns, bool of_edits);

}  // namespace roundtrip::columns
