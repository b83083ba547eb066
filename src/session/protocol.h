// Protocol by which the pictures of edits are scored: that of PIE-Bench as released (Ju et al., ICLR 2024), or one
// without its artefacts.
//
// `released` repeats the published evaluation: pictures are cut off to bytes, not rounded, and pass through a JPEG of
// quality 75; background scores set the edited region to 0 in both pictures and average over the whole frame, which
// adds 10 log10(1 / f) to a PSNR if a share f of the picture is background; SSIM leaves out a border of 5 pixels; the
// structure distance feeds values from 0 to 255 to a network that was trained on 0 to 1, and resizes without
// antialiasing. `proper` scores the pixels of the background themselves.
//
// It does not change how an edit is made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "columns/scores.h"
#include "data/sample.h"
#include "metrics/metric.h"

namespace roundtrip::session {

using at::Tensor;

enum class Pie { kProper, kReleased };
enum class SavedAs { kFloat, kPng, kJpeg };

struct Protocol {
  Pie pie = Pie::kProper;
  SavedAs saved = SavedAs::kFloat;
  std::optional<int> resolution = {};  // side to which pictures are brought before they are scored; null: as they are
  // Whether metrics with a network also score edits as whole pictures, which costs as much again.
  bool whole_perceptual = true;
  auto operator<=>(const Protocol&) const = default;
};

// Returns a result as it is scored: the picture [3, H, W] on [-1, 1] after it was saved, and resized if the protocol
// says so. A result that is saved as float is not clamped.
Tensor scored_picture(const Protocol& protocol, const Tensor& result);

// Brings a picture to the protocol's size, if it has one, as Pillow's `resize` does by default: bicubic, in bytes.
data::Image resized(const Protocol& protocol, const data::Image& picture);

// Views of an edit beside the whole picture, in the order of their columns, and those of them that have a codec floor.
std::vector<columns::View> edit_views(const Protocol& protocol);
bool has_view(const metrics::MetricInfo& metric, columns::View view);
bool is_background(columns::View view);
bool scores_whole(const Protocol& protocol, const metrics::MetricInfo& metric, bool edits);

// Gives parameters of metrics the values that the protocol is defined by, where they have none, or null.
metrics::MetricParams completed(const Protocol& protocol, metrics::MetricParams params);

// Text that is part of the keys of shared work, empty for the default.
std::string key_text(const Protocol& protocol);

}  // namespace roundtrip::session
