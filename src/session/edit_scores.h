// Scores of edits beyond those of a reconstruction: success of the edit and preservation of the background.
//
// edit_* compare the whole result with the exact answer. background_* compare it with the source over the part that the
// edit may not change: the mean over its pixels, over the windows of SSIM that lie in it, or for networks that look at
// whole pictures, the score of the edit with the source put back where it may change. background_zeroed_* have the form
// of PIE-Bench's tables (Ju et al., ICLR 2024), which set the edited region to 0 in both images and average over the
// whole frame. That form gives better scores: a PSNR gains 10 log10(1 / f) if a share f of the image is background.
// edited_part_* compare the edited region, all else 0, with the target prompt. codec_* of these views have the result
// of encoding and decoding alone in place of the edit.
#pragma once

#include <string>
#include <vector>

#include "data/sample.h"
#include "session/protocol.h"
#include "session/scorer.h"
#include "store/record.h"

namespace roundtrip::session {

// Ground truth of an edit; undefined if the dataset does not have it.
struct EditTarget {
  std::string prompt;
  Tensor pixels;                   // [3, H, W] on [-1, 1]
  Tensor mask;                     // [1, H, W] bool: where the edit may change the image
  std::string source_prompt = {};  // of the source
};

// Returns a dataset's answer to an edit, as tensors like the edited image's `source` [3, H, W].
EditTarget edit_target(std::string prompt, const data::EditTruth& truth, const Tensor& source);

// Columns of a metric: its own, and with edits the scores of edits, each with the codec's own loss behind it if
// `with_floor`.
std::vector<store::Column> score_columns(const metrics::MetricInfo& metric, const Protocol& protocol, bool edits,
                                         bool with_floor);

// Writes a record's scores of these metrics into their columns.
void fill_scores(store::Record& record, const std::vector<std::string>& metrics, const Protocol& protocol,
                 const Scores& scores);

// Returns all scores of a picture by column. `pair` has the source as its reference; its caption, mask and target are
// set from `target`, which is undefined for a reconstruction.
engine::Task<Scores> all_scores(Scorer& scorer, Protocol protocol, Pair pair, std::optional<EditTarget> target);

// Returns the codec's own loss, by column: the scores of `decoded` as if it were the result.
engine::Task<Scores> floor_scores(Scorer& scorer, Protocol protocol, Pair pair, std::optional<EditTarget> target);

}  // namespace roundtrip::session
