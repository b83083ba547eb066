// Scores of edits beyond those of a reconstruction: success of the edit and preservation of the background.
//
// edit_* compare the whole result with the exact answer. background_* compare it with the source, as the mean over the
// pixels that the edit may not change. background_zeroed_* do so in the form of PIE-Bench's tables (Ju et al., ICLR
// 2024), which set the edited region to 0 in both images and average over the whole frame. That form gives better
// scores: a PSNR gains 10 log10(1 / f) if a share f of the image is background.
#pragma once

#include <string>
#include <vector>

#include "data/sample.h"
#include "session/scorer.h"
#include "store/record.h"

namespace roundtrip::session {

// Ground truth of an edit; undefined if the dataset does not have it.
struct EditTarget {
  std::string prompt;
  Tensor pixels;  // [3, H, W] on [-1, 1]
  Tensor mask;    // [1, H, W] bool: where the edit may change the image
};

// Returns a dataset's answer to an edit, as tensors like the edited image's `source` [3, H, W].
EditTarget edit_target(std::string prompt, const data::EditTruth& truth, const Tensor& source);

// Columns of a metric: its own, with `with_floor` the codec's own loss, and with edits the scores of edits.
std::vector<store::Column> score_columns(const metrics::MetricInfo& metric, bool edits, bool with_floor);

// Writes a record's scores of these metrics into their columns.
void fill_scores(store::Record& record, const std::vector<std::string>& metrics, const Scores& scores);

// Returns scores by column. `source` and `result` are [3, H, W] on [-1, 1]. edit_* require an exact answer,
// background_* a mask. With a mask that covers everything, background_* are NaN.
engine::Task<Scores> edit_scores(Scorer& scorer, Tensor source, Tensor result, EditTarget target, Tensor x0, Tensor x);

}  // namespace roundtrip::session
