// How far an edit came, and what it left alone: scores beyond those that a reconstruction has.
//
// edit_*: the result against the exact answer, the whole image. background_*: against the source, where the edit may
// not change it: as the mean over those pixels alone, and, as background_zeroed_*, in the form of PIE-Bench's tables
// (Ju et al., ICLR 2024), which set the edited region to 0 in both images and then average over the whole frame. The
// latter flatters: a PSNR gains 10 log10(1 / f) where a share f of the image is background.
#pragma once

#include <string>
#include <vector>

#include "data/sample.h"
#include "session/scorer.h"
#include "store/record.h"

namespace roundtrip::session {

// What an edit is held against; undefined where the dataset does not have it.
struct EditTarget {
  std::string prompt;
  Tensor pixels;  // [3, H, W] on [-1, 1]
  Tensor mask;    // [1, H, W] bool: where the edit may change the image
};

// What a dataset knows of an edit's answer, as tensors like the edited image's `source` [3, H, W].
EditTarget edit_target(std::string prompt, const data::EditTruth& truth, const Tensor& source);

// The columns of a metric: its own, `with_floor` what the codec alone loses, and where there are edits those of an
// edit.
std::vector<store::Column> score_columns(const metrics::MetricInfo& metric, bool edits, bool with_floor);

// Puts what a record has of these metrics into their columns.
void fill_scores(store::Record& record, const std::vector<std::string>& metrics, const Scores& scores);

// By column. `source` and `result` are [3, H, W] on [-1, 1]. Without an exact answer there is no edit_*, without a mask
// no background_*; under a mask that covers all background_* is NaN.
engine::Task<Scores> edit_scores(Scorer& scorer, Tensor source, Tensor result, EditTarget target, Tensor x0, Tensor x);

}  // namespace roundtrip::session
